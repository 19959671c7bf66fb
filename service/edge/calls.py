"""One call of the WSGI application (PEP 3333) with a whole request, giving a whole answer."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from time import time
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from service.edge.heads import Head

__all__ = [
    "CLIENT_GONE",
    "WAITED",
    "Answer",
    "Environ",
    "WsgiApp",
    "as_bytes",
    "call",
    "environ_of",
]

CLIENT_GONE = "vitrine.client_gone"
"""Key of the environ: a function that says whether nobody waits for the answer any more."""

WAITED = "vitrine.waited_s"
"""Key of the environ: seconds that the whole request waited for a thread."""

_OF_THE_CONNECTION = ("connection", "content-length", "transfer-encoding", "keep-alive")

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes


def environ_of(
    head: Head, body: io.BytesIO, client: tuple[Any, ...], server: tuple[Any, ...]
) -> Environ:
    """The environ of a request, with host and port of the client's and of the server's socket.

    A field with an underscore is left out: in the environ it could not be told from the same name
    with a dash, which a proxy may have checked or set.
    """
    path, query = _split(head.target)
    environ: Environ = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": head.target,
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(len(body.getbuffer())),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in head.fields:
        _add_field(environ, name.decode("ascii"), value.decode("latin-1"))
    return environ


def call(app: WsgiApp, environ: Environ) -> Answer:
    """The application's answer, all of it; what it raises is raised."""
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []

    def start_response(status: str, headers: Any, _: Any = None) -> Callable[[bytes], None]:
        started[:] = [(status, headers)]
        return parts.append

    parts: list[bytes] = []
    result = app(environ, start_response)
    try:
        parts.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    status, headers = started[0]
    code, _, reason = status.partition(" ")
    return Answer(int(code), reason, headers, b"".join(parts))


def as_bytes(answer: Answer, *, method: str, last: bool) -> bytes:
    """The answer as it is sent (RFC 9112), with the length that it has.

    `last` ends the connection.
    """
    bodiless = method == "HEAD" or answer.status in (204, 304)
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", f"Date: {_date(int(time()))}"]
    for name, value in answer.headers:
        if name.lower() not in _OF_THE_CONNECTION or (bodiless and name == "Content-Length"):
            lines.append(f"{name}: {value}")
    if not bodiless:
        lines.append(f"Content-Length: {len(answer.body)}")
    if last:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if bodiless else head + answer.body


@lru_cache(1)
def _date(second: int) -> str:
    """A second as the field Date has it (RFC 9110, section 5.6.7)."""
    return formatdate(second, usegmt=True)


def _add_field(environ: Environ, name: str, value: str) -> None:
    if "_" in name or name in ("content-length", "transfer-encoding"):
        return
    if name == "content-type":
        environ["CONTENT_TYPE"] = value
        return
    key = "HTTP_" + name.upper().replace("-", "_")
    if key in environ:
        separator = "; " if name == "cookie" else ","
        value = f"{environ[key]}{separator}{value}"
    environ[key] = value


def _split(target: str) -> tuple[str, str]:
    """Path and query of a request target (RFC 9112, section 3.2).

    `ValueError` for any other form.
    """
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    parts = urlsplit(target)
    if parts.scheme in ("http", "https") and parts.netloc:
        return parts.path or "/", parts.query
    if target == "*":
        return "*", ""
    raise ValueError("not a path, an http address or *")
