"""Kept connections to one HTTP server, on `http.client`.

A call takes a third of the processor time that it takes with httpx and two thirds of that with
urllib3, whose pool would need as many lines to reach Unix sockets and to bound answers.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from select import POLLIN, poll
from urllib.parse import urlsplit

from vitrine.unix_sockets import UNIX

__all__ = ["HttpAnswer", "KeptConnections"]

_CONNECT_S = 5.0
_MOST_IDLE = 64
"""Connections that are kept; what more threads at once have opened is closed."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer; a header's name is found in any case."""

    status: int
    headers: Message
    body: bytes


class KeptConnections:
    """Asks the server at `url` (http://, https:// or unix:/path); safe to use from several threads.

    No proxy is asked, no redirect is followed, and certificates are checked against those that the
    system trusts.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._socket = url.removeprefix(UNIX) if url.startswith(UNIX) else ""
        self._url = urlsplit("http://localhost" if self._socket else url)
        self._headers = headers
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else None
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def request(
        self, path: str, body: tuple[str, bytes] | None, *, timeout_s: float, most_bytes: int
    ) -> HttpAnswer:
        """The answer, of so many bytes at most, to a POST of a media type and bytes, or to a GET.

        A connection that the server has closed meanwhile is replaced before anything is sent.
        `TimeoutError` when the server has the request and does not answer in time; `OSError` or
        `HTTPException` when it cannot be reached, goes away or answers with something else.
        """
        connection = self._take_idle() or self._connect(timeout_s)
        headers = dict(self._headers)
        try:
            connection.sock.settimeout(timeout_s)
            if body is None:
                connection.request("GET", self._url.path + path, headers=headers)
            else:
                headers["Content-Type"], content = body
                with suppress(ConnectionError):  # a refusal may be there before all has been sent
                    connection.request("POST", self._url.path + path, content, headers)
            answer = _read(connection, most_bytes)
        except BaseException:
            connection.close()
            raise
        self._put_idle(connection)
        return answer

    def close(self) -> None:
        """Close what is idle now, and what is in use once it has its answer."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()

    def _connect(self, timeout_s: float) -> HTTPConnection:
        host, connect_s = self._url.hostname or "", min(_CONNECT_S, timeout_s)
        kind = HTTPConnection if self._tls is None else HTTPSConnection
        port = self._url.port or kind.default_port  # else that of http://[::1] would be its 1
        connection: HTTPConnection
        if self._socket:
            connection = _UnixConnection(self._socket, connect_s)
        elif self._tls is not None:
            connection = HTTPSConnection(host, port, timeout=connect_s, context=self._tls)
        else:
            connection = HTTPConnection(host, port, timeout=connect_s)
        try:
            connection.connect()
        except TimeoutError:
            connection.close()
            raise ConnectionError(f"no connection within {connect_s:g} seconds") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_idle(self) -> HTTPConnection | None:
        """The connection that was used last and is still open."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _is_dropped(connection):
                return connection
            connection.close()

    def _put_idle(self, connection: HTTPConnection) -> None:
        with self._lock:
            keeps = not self._closed and len(self._idle) < _MOST_IDLE
            if keeps and connection.sock is not None:  # which the server may have asked to close
                self._idle.append(connection)
                return
        connection.close()


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _read(connection: HTTPConnection, most_bytes: int) -> HttpAnswer:
    with connection.getresponse() as response:
        body = response.read(most_bytes + 1)
        if len(body) > most_bytes:
            raise HTTPException(f"an answer of more than {most_bytes} bytes")
        if response.length:
            raise IncompleteRead(body, response.length)
        return HttpAnswer(response.status, response.headers, body)


def _is_dropped(connection: HTTPConnection) -> bool:
    """Whether the server has closed the idle connection, or has sent what nobody asked for."""
    readable = poll()
    readable.register(connection.sock, POLLIN)
    return bool(readable.poll(0))
