"""Hosts are asked for pictures politely: few at once, again when told, never twice."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ingest.database import ingest_database
from ingest.pictures import Picture
from ingest.pictures.hosts import AddressBook
from ingest.pictures.polite import PoliteFetcher
from tests.unit.ingest.catalogue import Shop
from tests.unit.ingest.catalogue import picture as drawn
from tests.unit.ingest.memory import MemoryImages
from tests.unit.ingest.picture_host import Answer, Host
from vitrine.errors import InvalidImage
from vitrine.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def hosts() -> Iterator[Callable[[Answer], Host]]:
    opened: list[Host] = []

    def open_host(answer: Answer) -> Host:
        opened.append(Host(answer))
        return opened[-1]

    yield open_host
    for host in opened:
        host.close()


@pytest.fixture
def images() -> MemoryImages:
    return MemoryImages()


def fetcher(tmp_path: Path, images: MemoryImages, **settings: Any) -> PoliteFetcher:
    return PoliteFetcher(
        Settings(data_dir=tmp_path, fetch_private=True, **settings),
        AddressBook(ingest_database(tmp_path)),
        has_picture=images.has,
    )


def picture(url: str) -> Picture:
    return Picture(url=url)


def marked(host: Host, request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
    if request.headers["If-None-Match"] == '"v1"':
        return 304, b"", {}
    return 200, b"picture", {"ETag": '"v1"', "Last-Modified": "Sat, 31 Jan 2026 12:00:00 GMT"}


def test_an_unchanged_picture_is_not_sent_again(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(marked)
    first = fetcher(tmp_path, images).read(picture(f"{host.url}/a.png"))
    assert first.data == b"picture"
    images.put(first.data)
    again = fetcher(tmp_path, images).read(picture(f"{host.url}/a.png"))
    assert again.data is None
    assert again.key == first.key == hashlib.sha256(b"picture").hexdigest()
    assert host.requests[1]["If-Modified-Since"] == "Sat, 31 Jan 2026 12:00:00 GMT"


def test_a_picture_that_the_store_has_lost_is_asked_for_in_full(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(marked)
    for _ in range(2):
        read = fetcher(tmp_path, images).read(picture(f"{host.url}/a.png"))
        assert read.data == b"picture"


def test_a_host_that_is_busy_is_asked_again_when_it_says_so(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    def answer(host: Host, _: object) -> tuple[int, bytes, dict[str, str]]:
        if len(host.requests) < 3:
            return (429, 503)[len(host.requests) - 1], b"", {"Retry-After": "0"}
        return 200, b"picture", {}

    host = hosts(answer)
    assert fetcher(tmp_path, images).read(picture(f"{host.url}/a.png")).data == b"picture"
    assert len(host.requests) == 3


def test_sixty_pictures_of_a_host_that_allows_four_at_a_time_all_come(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    granted: list[float] = []

    def answer(*_: object) -> tuple[int, bytes, dict[str, str]]:
        now = time.monotonic()
        if len([at for at in granted if now - at < 0.1]) >= 4:
            return 429, b"", {"Retry-After": "0"}
        granted.append(now)
        return 200, b"picture", {}

    host = hosts(answer)
    polite = fetcher(tmp_path, images, fetch_attempts=20, fetch_per_host=2)
    polite._sleep = lambda seconds: time.sleep(max(seconds, 0.02))
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(polite.read, (picture(f"{host.url}/{n}") for n in range(60))))
    assert [one.data for one in read] == [b"picture"] * 60
    assert host.most_at_once <= 2


def test_a_host_that_stays_busy_is_left_after_so_many_tries(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(lambda *_: (503, b"", {"Retry-After": "0"}))
    with pytest.raises(
        InvalidImage, match=rf"the address {host.url}/a.png answers with status 503"
    ):
        fetcher(tmp_path, images, fetch_attempts=3).read(picture(f"{host.url}/a.png"))
    assert len(host.requests) == 3


def test_a_host_that_is_down_does_not_cost_every_picture_all_tries(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(lambda *_: (503, b"", {"Retry-After": "0"}))
    polite = fetcher(tmp_path, images, fetch_attempts=4)
    for number in range(10):
        with pytest.raises(InvalidImage):
            polite.read(picture(f"{host.url}/{number}"))
    assert len(host.requests) == 3 * 4 + 7


def test_a_picture_that_is_gone_is_not_asked_for_again(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(lambda *_: (404, b"", {}))
    with pytest.raises(InvalidImage, match=rf"{host.url}/a.png answers with status 404"):
        fetcher(tmp_path, images).read(picture(f"{host.url}/a.png"))
    assert len(host.requests) == 1


def test_waiting_is_bounded_whatever_a_host_asks_for(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    waits: list[float] = []
    host = hosts(lambda *_: (429, b"", {"Retry-After": "86400"}))
    polite = fetcher(tmp_path, images, fetch_attempts=2, fetch_wait_s=0.05)
    polite._sleep = lambda seconds: waits.append(seconds) or time.sleep(seconds)
    with pytest.raises(InvalidImage):
        polite.read(picture(f"{host.url}/a.png"))
    assert max(waits) <= 0.05


def test_hosts_are_told_who_asks(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(lambda *_: (200, b"picture", {}))
    fetcher(tmp_path, images).read(picture(f"{host.url}/a"))
    fetcher(tmp_path, images, fetch_user_agent="shop/1").read(picture(f"{host.url}/b"))
    own = Picture(url=f"{host.url}/c", user_agent="catalogue/2 (mail@example.com)")
    fetcher(tmp_path, images).read(own)
    agents = [request["User-Agent"] for request in host.requests]
    assert agents[0].startswith("Vitrine/")
    assert agents[0] != "Vitrine/"
    assert agents[1:] == ["shop/1", "catalogue/2 (mail@example.com)"]


def test_an_address_without_a_scheme_is_asked_by_http_where_https_does_not_answer(
    tmp_path: Path, images: MemoryImages, hosts: Callable[[Answer], Host]
) -> None:
    host = hosts(lambda *_: (200, b"picture", {}))
    address = host.url.removeprefix("http:")
    polite = fetcher(tmp_path, images, fetch_attempts=1)
    assert polite.read(picture(f"{address}/a.png")).data == b"picture"


def test_pictures_that_are_here_need_no_host(tmp_path: Path, images: MemoryImages) -> None:
    (tmp_path / "a.png").write_bytes(b"file")
    polite = fetcher(tmp_path, images)
    assert polite.read(Picture(data=b"bytes")).data == b"bytes"
    assert polite.read(Picture(path=str(tmp_path / "a.png"), root=str(tmp_path))).data == b"file"


def test_a_night_without_changes_sends_no_picture_and_embeds_nothing(
    tmp_path: Path, hosts: Callable[[Answer], Host]
) -> None:
    def answer(_: Host, request: BaseHTTPRequestHandler) -> tuple[int, bytes, dict[str, str]]:
        mark = f'"{request.path}"'
        if request.headers["If-None-Match"] == mark:
            return 304, b"", {}
        number = int(request.path.strip("/").removesuffix(".png"))
        return 200, drawn(number=number), {"ETag": mark}

    host = hosts(answer)
    shop = Shop(tmp_path, fetch_private=True)
    shop.rows = [
        {**shop.product(n), "image": f"{host.url}/{n}.png", "color": "red"} for n in range(40)
    ]
    assert shop.ingest().done == 40
    first = len(host.requests)
    night = shop.ingest()
    assert (night.unchanged, night.done, night.embedded) == (40, 0, 0)
    asked = host.requests[first:]
    assert len(asked) == 40
    assert all("If-None-Match" in request for request in asked), "no picture was sent again"
