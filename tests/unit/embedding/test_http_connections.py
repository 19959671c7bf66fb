"""Connections to an HTTP server are kept, shared by threads, and trusted with nothing."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until
from tests.unit.service.edge.conftest import Server, served
from vitrine.embedding import http_connections
from vitrine.embedding.http_connections import HttpAnswer, KeptConnections

PATIENCE_S = 240
MOST_BYTES = 1000


def ask(connections: KeptConnections, body: bytes = b"body", **limits: Any) -> HttpAnswer:
    options = {"timeout_s": PATIENCE_S, "most_bytes": MOST_BYTES, **limits}
    return connections.request("/path", ("text/plain", body), **options)


@pytest.fixture(params=["http", "unix"])
def server(request: pytest.FixtureRequest, socket_folder: Path) -> Iterator[Server]:
    """Echoes bodies."""
    at = str(socket_folder / "server") if request.param == "unix" else ""
    server = served(at, threads=8, queue=100)
    yield server
    server.close()


@pytest.fixture
def connections(server: Server) -> Iterator[KeptConnections]:
    at = server.address
    connections = KeptConnections(
        f"unix:{at}" if isinstance(at, str) else f"http://{at[0]}:{at[1]}", {}
    )
    yield connections
    connections.close()


def test_requests_follow_each_other_on_one_connection(
    server: Server, connections: KeptConnections
) -> None:
    for number in range(5):
        assert ask(connections, b"%d" % number).body == b"%d" % number
    assert server.edge.connections == 1
    connections.close()
    until(lambda: server.edge.connections == 0)


def test_path_headers_and_body_arrive() -> None:
    server = served()
    url = f"http://127.0.0.1:{server.address[1]}/below"
    connections = KeptConnections(url, {"Authorization": "Bearer x"})
    assert connections.request("/a", None, timeout_s=PATIENCE_S, most_bytes=0).body == b""
    assert ask(connections, b"hello").body == b"hello"
    connections.close()
    server.close()
    get, post = server.application.calls
    assert (get["REQUEST_METHOD"], get["PATH_INFO"]) == ("GET", "/below/a")
    assert (post["REQUEST_METHOD"], post["PATH_INFO"]) == ("POST", "/below/path")
    assert get["HTTP_AUTHORIZATION"] == post["HTTP_AUTHORIZATION"] == "Bearer x"
    assert "CONTENT_TYPE" not in get
    assert post["CONTENT_TYPE"] == "text/plain"


def test_a_kept_connection_that_was_closed_is_replaced_before_anything_is_sent(
    server: Server, connections: KeptConnections
) -> None:
    ask(connections)
    server.serving.abort_connections()
    until(lambda: server.edge.connections == 0)
    assert ask(connections).body == b"body"
    assert len(server.application.calls) == 2


def test_threads_get_each_their_own_answer_and_leave_few_connections(
    server: Server, connections: KeptConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "_MOST_IDLE", 3)
    bodies = [b"%d" % number for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert [answer.body for answer in pool.map(lambda b: ask(connections, b), bodies)] == bodies
    until(lambda: server.edge.connections <= 3)
    assert ask(connections).body == b"body"


def test_a_connection_in_use_when_all_are_closed_is_closed_with_its_answer(
    server: Server, connections: KeptConnections
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            connections.request, "/wait", None, timeout_s=PATIENCE_S, most_bytes=MOST_BYTES
        )
        until(lambda: bool(server.application.calls))
        connections.close()
        server.application.go.set()
        assert waiting.result(PATIENCE_S).status == 200
    until(lambda: server.edge.connections == 0)


def test_an_answer_that_does_not_come_is_a_timeout(
    server: Server, connections: KeptConnections
) -> None:
    with pytest.raises(TimeoutError):
        connections.request("/wait", None, timeout_s=0.1, most_bytes=MOST_BYTES)
    server.application.go.set()
    assert ask(connections).body == b"body"


def test_an_answer_that_is_too_large_is_not_read_on(
    server: Server, connections: KeptConnections
) -> None:
    assert len(ask(connections, b"x" * MOST_BYTES).body) == MOST_BYTES
    with pytest.raises(HTTPException, match="more than 1000 bytes"):
        ask(connections, b"x" * (MOST_BYTES + 1))
    assert ask(connections).body == b"body"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://[::1]", ("::1", 80)),
        ("https://[fe80::abcd]/below", ("fe80::abcd", 443)),
        ("http://[::1]:8001", ("::1", 8001)),
        ("https://embedder", ("embedder", 443)),
    ],
)
def test_where_no_port_is_named_it_is_that_of_the_scheme(
    url: str, named: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[tuple[str, int]] = []

    def refuse(connection: HTTPConnection) -> None:
        addresses.append((connection.host, connection.port))
        raise ConnectionRefusedError

    monkeypatch.setattr(HTTPConnection, "connect", refuse)
    with pytest.raises(ConnectionRefusedError):
        ask(KeptConnections(url, {}))
    assert addresses == [named]


def test_no_proxy_is_asked(connections: KeptConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(connections).body == b"body"


def whole_request(client: socket.socket) -> bytes:
    """What is left unread would have the answer thrown away at the close."""
    with client.makefile("rb") as lines:
        head = b"".join(iter(lines.readline, b"\r\n"))
        length = re.search(rb"Content-Length: (\d+)", head)
        return head + lines.read(int(length[1]) if length else 0)


@contextmanager
def scripted(
    answer: bytes, wrap: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A port at which every connection gets these bytes for its first request and is closed; and
    the requests."""
    requests: list[bytes] = []

    def serve() -> None:
        while True:
            client, _ = listening.accept()
            with client:
                if ended.is_set():
                    return
                client.settimeout(PATIENCE_S)
                _answer(client)

    def _answer(client: socket.socket) -> None:
        try:
            secure = client if wrap is None else wrap.wrap_socket(client, server_side=True)
        except OSError:
            return  # whoever does not trust the certificate goes away
        with secure:
            requests.append(whole_request(secure))
            secure.sendall(answer)

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], requests
        finally:
            ended.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 200 OK\r\n\r\nab", b"ab"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
            b"ab",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["a length", "the end of the connection", "chunks", "no body"],
)
def test_an_answer_ends_as_http_has_it(answer: bytes, body: bytes) -> None:
    with scripted(answer) as (port, _):
        connections = KeptConnections(f"http://127.0.0.1:{port}", {})
        assert connections.request("/", None, timeout_s=PATIENCE_S, most_bytes=2).body == body
        connections.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    ],
    ids=["a length", "chunks"],
)
def test_an_answer_that_is_cut_short_is_none(answer: bytes) -> None:
    with scripted(answer) as (port, _):
        connections = KeptConnections(f"http://127.0.0.1:{port}", {})
        with pytest.raises(IncompleteRead):
            ask(connections)


def test_a_refusal_that_comes_before_all_was_sent_is_read(socket_folder: Path) -> None:
    def refuse() -> None:
        with listening.accept()[0] as client:
            client.recv(100)
            client.sendall(
                b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
            )

    path = str(socket_folder / "server")
    with socket.create_server(path, family=socket.AF_UNIX) as listening:
        thread = threading.Thread(target=refuse)
        thread.start()
        answer = ask(KeptConnections(f"unix:{path}", {}), b"x" * 8_000_000)
        assert (answer.status, answer.body) == (503, b"busy")
        thread.join(PATIENCE_S)


def test_no_redirect_is_followed() -> None:
    with scripted(b"", None) as (elsewhere, asked_there):
        location = f"Location: http://127.0.0.1:{elsewhere}/".encode()
        moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + location + b"\r\n\r\n"
        with scripted(moved) as (port, requests):
            connections = KeptConnections(f"http://127.0.0.1:{port}", {"Authorization": "Bearer x"})
            assert ask(connections).status == 302
            connections.close()
    assert len(requests) == 1
    assert asked_there == []


def test_only_a_certificate_that_the_system_trusts_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    named = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run([*make, *named, *files], check=True, capture_output=True, timeout=PATIENCE_S)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    with scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", server) as (port, requests):
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(KeptConnections(f"https://localhost:{port}", {"Authorization": "Bearer x"}))
        assert requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = KeptConnections(f"https://localhost:{port}", {})
        assert ask(trusting).body == b"ab"
        trusting.close()
        with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
            ask(KeptConnections(f"https://127.0.0.1:{port}", {}))
