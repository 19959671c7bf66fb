"""A client over HTTP that costs little: the service that is measured shares its cores, and
`http.client` takes a millisecond a request."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

__all__ = ["get", "get_in_parallel", "post_in_parallel"]

_LONGEST_S = 60.0


def get(port: int, paths: Sequence[str]) -> list[float]:
    """Seconds of each GET request, one after the other over one kept connection.

    `SystemExit` for any answer but 200.
    """
    return _exchange(port, [(path, None) for path in paths])


def _exchange(port: int, requests: Sequence[tuple[str, bytes | None]]) -> list[float]:
    """Seconds of each request, a path and the JSON that is sent there; None is a GET."""
    seconds = []
    with socket.create_connection(("127.0.0.1", port), timeout=_LONGEST_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for path, body in requests:
            head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}"
            if body is not None:
                head += f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            request = f"{head}\r\n\r\n".encode() + (body or b"")
            started = time.perf_counter()
            connection.sendall(request)
            answer_head, answer = _answer(connection)
            seconds.append(time.perf_counter() - started)
            if not answer_head.startswith(b"HTTP/1.1 200 "):
                status = answer_head.splitlines()[0].decode()
                raise SystemExit(f"{path} answered {status}: {answer[:300]!r}")
    return seconds


def get_in_parallel(port: int, shares: Sequence[Sequence[str]]) -> tuple[float, list[float]]:
    """Seconds until each of the clients, one for each share, has its answers.

    And the seconds of each request.
    """
    return _in_parallel(port, [[(path, None) for path in share] for share in shares])


def post_in_parallel(port: int, path: str, shares: Sequence[Sequence[bytes]]) -> None:
    """Send each client's share of JSON bodies, one body with each request."""
    _in_parallel(port, [[(path, body) for body in share] for share in shares])


def _in_parallel(
    port: int, shares: Sequence[Sequence[tuple[str, bytes | None]]]
) -> tuple[float, list[float]]:
    with ThreadPoolExecutor(len(shares)) as pool:
        started = time.perf_counter()
        answers = list(pool.map(partial(_exchange, port), shares))
        taken = time.perf_counter() - started
    return taken, [seconds for answer in answers for seconds in answer]


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer, whose length its head tells."""
    got = b""
    while (end := got.find(b"\r\n\r\n")) < 0:
        got += _more(connection)
    head, body = got[:end], got[end + 4 :]
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    got = connection.recv(65_536)
    if not got:
        raise SystemExit("the service closed the connection")
    return got
