"""Pictures by URL: only from where it is allowed, only so much, only so long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from vitrine.errors import InvalidImage
from vitrine.images import addresses, guarded_network
from vitrine.images.addresses import is_public
from vitrine.images.fetch import Fetcher, fetch
from vitrine.settings import Settings


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Answers.hosts.append(self.headers["Host"])
        getattr(self, f"_{self.path.strip('/').split('/')[0]}")()

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _picture(self) -> None:
        self._send(b"picture bytes")

    def _gone(self) -> None:
        self._send(b"", 404)

    def _hop(self) -> None:
        self._send(b"", 302, Location="/picture")

    def _loop(self) -> None:
        self._send(b"", 302, Location="/loop")

    def _inward(self) -> None:
        self._send(b"", 302, Location=f"http://inside.example:{self.server.server_port}/picture")

    def _elsewhere(self) -> None:
        self._send(b"", 302, Location="file:///etc/passwd")

    def _large(self) -> None:
        self._send(b"x" * 5000)

    def _drip(self) -> None:
        """One more line of the head every moment, until the client goes."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with suppress(OSError):
            while True:
                self.wfile.write(b"X-Drop: 1\r\n")
                time.sleep(0.1)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    made = Fetcher(private=True, timeout_s=30, most_bytes=1000)
    yield made
    made.close()


def reason_of(call: Callable[[], bytes]) -> str:
    with pytest.raises(InvalidImage) as caught:
        call()
    return caught.value.reason


def test_bytes_come_back(fetcher: Fetcher, port: int) -> None:
    assert fetcher.fetch(f"http://127.0.0.1:{port}/picture") == b"picture bytes"
    assert fetcher.fetch(f"http://127.0.0.1:{port}/hop") == b"picture bytes"


def test_each_failure_has_its_reason(fetcher: Fetcher, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    assert reason_of(lambda: fetcher.fetch(f"{base}/gone")) == "unreachable"
    assert reason_of(lambda: fetcher.fetch(f"{base}/loop")) == "unreachable"
    assert reason_of(lambda: fetcher.fetch(f"{base}/elsewhere")) == "bad_address"
    assert reason_of(lambda: fetcher.fetch(f"{base}/large")) == "too_many_bytes"
    for url in (
        "ftp://a.example/x",
        "file:///etc/passwd",
        "http:///x",
        "no url",
        "",
        "http://user:word@a.example/x",
        "http://[::1",
        "http://xn--/",
    ):
        assert reason_of(lambda url=url: fetcher.fetch(url)) == "bad_address", url


def test_nobody_listening_is_unreachable(fetcher: Fetcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    assert reason_of(lambda: fetcher.fetch(f"http://127.0.0.1:{closed}/x")) == "unreachable"


def test_a_server_that_drips_is_left_at_the_deadline(port: int) -> None:
    slow = Fetcher(private=True, timeout_s=0.4, most_bytes=1000)
    assert reason_of(lambda: slow.fetch(f"http://127.0.0.1:{port}/drip")) == "too_slow"
    slow.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"],
)
def test_loopback_is_refused_in_every_spelling(host: str, port: int) -> None:
    closed = Fetcher(private=False, timeout_s=30, most_bytes=1000)
    assert reason_of(lambda: closed.fetch(f"http://{host}:{port}/picture")) in (
        "forbidden_address",
        "unreachable",
        "bad_address",
    )
    closed.close()


@pytest.mark.parametrize(
    "address",
    [
        *(
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "127.0.0.1",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *(
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "feff:ffff::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "255.255.255.255",
        ),
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"]
)
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name service of the test's own; 127.0.0.1 counts as public, 127.0.0.2 as private."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        if host not in known:
            raise socket.gaierror("unknown")
        answer = known[host]
        address = answer.pop(0) if len(answer) > 1 else answer[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(addresses, "getaddrinfo", look_up)
    monkeypatch.setattr(guarded_network, "is_public", lambda address: address == "127.0.0.1")
    return known


def test_a_redirect_into_the_private_network_is_refused(
    port: int, names: dict[str, list[str]]
) -> None:
    names |= {"shop.example": ["127.0.0.1"], "inside.example": ["127.0.0.2"]}
    outside = Fetcher(private=False, timeout_s=30, most_bytes=1000)
    assert outside.fetch(f"http://shop.example:{port}/picture") == b"picture bytes"
    assert Answers.hosts[-1] == f"shop.example:{port}"
    assert (
        reason_of(lambda: outside.fetch(f"http://shop.example:{port}/inward"))
        == "forbidden_address"
    )
    outside.close()


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    port: int, names: dict[str, list[str]]
) -> None:
    names["fickle.example"] = [
        "127.0.0.1",
        "127.0.0.2",
    ]  # asked a second time it would point inward
    outside = Fetcher(private=False, timeout_s=30, most_bytes=1000)
    assert outside.fetch(f"http://fickle.example:{port}/picture") == b"picture bytes"
    assert names["fickle.example"] == ["127.0.0.2"]
    outside.close()
    again = Fetcher(private=False, timeout_s=30, most_bytes=1000)
    assert (
        reason_of(lambda: again.fetch(f"http://fickle.example:{port}/picture"))
        == "forbidden_address"
    )
    assert reason_of(lambda: again.fetch(f"http://nobody.example:{port}/picture")) == "unreachable"
    again.close()


def test_the_settings_limits_hold(port: int) -> None:
    small = Settings(fetch_private=True, max_image_mb=0.001, fetch_timeout_s=30)
    assert fetch(f"http://127.0.0.1:{port}/picture", small) == b"picture bytes"
    assert reason_of(lambda: fetch(f"http://127.0.0.1:{port}/large", small)) == "too_many_bytes"
    assert (
        reason_of(lambda: fetch(f"http://127.0.0.1:{port}/picture", Settings(fetch_timeout_s=30)))
        == "forbidden_address"
    )
