"""A serving edge on a loopback port or a Unix socket, around an application of a few lines."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.edge import connection, worker, workload
from service.edge.calls import CLIENT_GONE, Environ
from service.edge.connection import Phase
from service.edge.limits import EdgeLimits
from service.edge.worker import ServingEdge
from tests.support.edge_server import EdgeServer

PATIENCE_S = 240
LIMITS: dict[str, Any] = {
    "threads": 1,
    "queue": 1,
    "queue_timeout_s": PATIENCE_S,
    "connections": 100,
    "origins": frozenset(),
    "probes": ("/health/live", "/health/ready"),
    "head_timeout_s": PATIENCE_S,
    "body_timeout_s": PATIENCE_S,
    "least_rate": 1000.0,
    "keepalive_s": PATIENCE_S,
    "body_bytes": 1_000_000,
    "held_bytes": 2_000_000,
}


@dataclass
class Application:
    """Echoes the body.

    At /wait it waits for `go`, at /large it answers 20 MB, at /fail it fails, at /panic it fails
    as libraries in Rust do.
    """

    go: threading.Event = field(default_factory=threading.Event)
    calls: list[Environ] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        self.calls.append(environ)
        path = environ["PATH_INFO"]
        if path == "/wait":
            assert self.go.wait(PATIENCE_S)
            self.gone.append(environ[CLIENT_GONE]())
        if path == "/fail":
            raise RuntimeError("the application fails")
        if path == "/panic":
            raise BaseException("the application fails")  # PyO3's PanicException is no Exception
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x" * 20_000_000 if path == "/large" else environ["wsgi.input"].read()]


@dataclass
class Server:
    """The edge, its application and its address."""

    serving: EdgeServer
    application: Application
    address: Any
    clients: list[socket.socket] = field(default_factory=list)

    @property
    def edge(self) -> ServingEdge:
        return self.serving.edge

    @property
    def refused(self) -> list[str]:
        return self.serving.refused

    def connect(self) -> socket.socket:
        """A connection that is closed with the test, if not before."""
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        client = socket.socket(family, socket.SOCK_STREAM)
        client.settimeout(PATIENCE_S)
        client.connect(self.address)
        self.clients.append(client)
        return client

    def phases(self) -> list[Phase]:
        """What each open connection waits for, in the order in which they came."""
        return [each.phase for each in list(self.edge._connections)]

    def close(self) -> None:
        self.application.go.set()
        for client in self.clients:
            client.close()
        self.serving.close()

    def send(self, request: bytes) -> bytes:
        """All that comes back until the server closes the connection."""
        with self.connect() as client:
            client.sendall(request)
            return everything(client)


def everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


class Clock:
    """Goes on only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all deadlines of what is served from now on."""
    made = Clock()
    for module in (connection, worker, workload):
        monkeypatch.setattr(module, "monotonic", made)
    return made


def served(at: str = "", **changed: Any) -> Server:
    """A server with some limits changed; `at` is the path of a Unix socket."""
    listening = (
        socket.create_server(at, family=socket.AF_UNIX)
        if at
        else socket.create_server(("127.0.0.1", 0), backlog=100)
    )
    address, application = listening.getsockname(), Application()
    limits = EdgeLimits(**{**LIMITS, **changed})
    return Server(EdgeServer(application, limits, listening), application, address)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve until the test ends."""
    servers: list[Server] = []

    def start(at: str = "", **changed: Any) -> Server:
        servers.append(served(at, **changed))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
