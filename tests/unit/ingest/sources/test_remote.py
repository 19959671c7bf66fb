"""Catalogues at an address are fetched when they have changed, or refused with the reason."""

from __future__ import annotations

import errno
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.sources import Row, open_source, remote
from tests.unit.ingest.test_polite import Host
from vitrine.errors import InvalidInput, SourceUnavailable, StorageUnavailable
from vitrine.settings import Settings

CSV = b"id,image\n1,a.png\n"


@pytest.fixture
def feeds(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a host answers at each path: status, body, headers; and `host` itself."""
    monkeypatch.setattr(remote, "_FRESH_S", 0.0)
    answers: dict[str, Any] = {}

    def answer(_: object, request: Any) -> tuple[int, bytes, dict[str, str]]:
        status, body, headers = answers[request.path]
        if headers.get("ETag") and request.headers["If-None-Match"] == headers["ETag"]:
            return 304, b"", {}
        return status, body, headers

    host = Host(answer)
    answers["host"] = host
    yield answers
    host.close()


def settings(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(**{"data_dir": tmp_path, "fetch_private": True, "fetch_attempts": 1, **changes})


def test_a_feed_is_fetched_once_while_it_does_not_change(
    tmp_path: Path, feeds: dict[str, Any]
) -> None:
    feeds["/feed.csv"] = (200, CSV, {"ETag": '"1"'})
    url = f"{feeds['host'].url}/feed.csv"
    for _ in range(2):
        source = open_source(url, settings(tmp_path))
        (row,) = source.rows()
        assert isinstance(row, Row)
        assert row.values == {"id": "1", "image": "a.png"}
        assert row.base is None, "it may not name files of this machine"
        assert source.name == url
    feeds["/feed.csv"] = (200, CSV + b"2,b.png\n", {"ETag": '"2"'})
    assert len(list(open_source(url, settings(tmp_path)).rows())) == 2
    assert [r.get("If-None-Match") for r in feeds["host"].requests] == [None, '"1"', '"1"']


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/feed.csv.gz", gzip.compress(CSV, mtime=0), "application/octet-stream"),
        ("/feed?format=x", CSV, "text/csv; charset=utf-8"),
        ("/feed?json", b'[{"id": "1", "image": "a.png"}]', "application/json"),
        ("/feed?xml", b"<f><item><id>1</id><image>a.png</image></item></f>", "text/plain"),
    ],
)
def test_the_format_is_that_of_the_address_the_media_type_or_the_content(
    tmp_path: Path, feeds: dict[str, Any], path: str, body: bytes, content_type: str
) -> None:
    feeds[path] = (200, body, {"Content-Type": content_type})
    (row,) = open_source(f"{feeds['host'].url}{path}", settings(tmp_path)).rows()
    assert isinstance(row, Row)
    assert row.values == {"id": "1", "image": "a.png"}


def test_a_feed_that_answers_500_is_told_and_leaves_nothing(
    tmp_path: Path, feeds: dict[str, Any]
) -> None:
    feeds["/feed.csv"] = (500, b"", {})
    with pytest.raises(SourceUnavailable, match=r"/feed\.csv answers with status 500"):
        open_source(f"{feeds['host'].url}/feed.csv", settings(tmp_path))
    assert not list(tmp_path.glob("sources/*/*"))


def test_a_full_disk_is_not_the_host_s_fault(
    tmp_path: Path, feeds: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullFile(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    feeds["/feed.csv"] = (200, CSV, {})
    monkeypatch.setattr("ingest.sources.remote.os.fdopen", lambda *_: FullFile())
    with pytest.raises(StorageUnavailable, match=r"sources/.*No space left"):
        open_source(f"{feeds['host'].url}/feed.csv", settings(tmp_path, fetch_attempts=3))
    assert len(feeds["host"].requests) == 1
    assert not list(tmp_path.glob("sources/*/*"))


def test_a_feed_over_the_limit_is_refused(tmp_path: Path, feeds: dict[str, Any]) -> None:
    feeds["/feed.csv"] = (200, b"x" * 10_000, {})
    with pytest.raises(InvalidInput, match="more than"):
        open_source(f"{feeds['host'].url}/feed.csv", settings(tmp_path, max_source_gb=1e-6))


def test_private_networks_are_closed_to_feeds_as_well(
    tmp_path: Path, feeds: dict[str, Any]
) -> None:
    feeds["/feed.csv"] = (200, CSV, {})
    with pytest.raises(InvalidInput, match="private network"):
        open_source(f"{feeds['host'].url}/feed.csv", Settings(data_dir=tmp_path))


def test_a_host_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    answers = iter([(503, b"", {"Retry-After": "0"}), (200, CSV, {})])
    host = Host(lambda _host, _request: next(answers))
    try:
        chosen = settings(tmp_path, fetch_attempts=2)
        assert len(list(open_source(f"{host.url}/feed.csv", chosen).rows())) == 1
    finally:
        host.close()


def test_a_machine_that_has_just_started_fetches_as_well(
    tmp_path: Path, feeds: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has been fetched yet when the clock, which counts from the start, shows seconds."""
    monkeypatch.setattr("ingest.sources.remote.time.monotonic", lambda: 2.0)
    feeds["/feed.csv"] = (200, CSV, {})
    assert len(list(open_source(f"{feeds['host'].url}/feed.csv", settings(tmp_path)).rows())) == 1


def test_a_host_that_nobody_reaches_may_be_there_tomorrow(
    tmp_path: Path, feeds: dict[str, Any]
) -> None:
    url = feeds["host"].url
    feeds["host"].close()
    with pytest.raises(SourceUnavailable, match="cannot be fetched"):
        open_source(f"{url}/feed.csv", settings(tmp_path))
