"""A serving edge on a loopback port, around an application of a few lines."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.edge import connection, worker, workload
from service.edge.calls import CLIENT_GONE, Environ
from service.edge.connection import Connection, Phase
from service.edge.limits import EdgeLimits
from service.edge.worker import ServingEdge
from service.edge.workload import Workload

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

    edge: ServingEdge
    application: Application
    port: int
    refused: list[str]
    clients: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        """A connection that is closed with the test, if not before."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self.clients.append(client)
        return client

    def phases(self) -> list[Phase]:
        """What each open connection waits for, in the order in which they came."""
        return [each.phase for each in list(self.edge._connections)]

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def send(self, request: bytes) -> bytes:
        """All that comes back until the server closes the connection."""
        with self.connect() as client:
            client.sendall(request)
            return everything(client)


def everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


async def _serve(limits: EdgeLimits, application: Application, ready: Callable[..., None]) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    refused: list[str] = []
    workload = Workload(application, limits, loop)
    edge = ServingEdge(workload, limits, refused.append)
    server = await loop.create_server(lambda: Connection(edge), "127.0.0.1", 0)
    ready(Server(edge, application, server.sockets[0].getsockname()[1], refused), loop, stop)
    while not stop.is_set():
        edge.tick()
        await asyncio.sleep(0.02)
    server.close()
    for _ in range(3):  # a connection that was just accepted is only now made
        await asyncio.sleep(0)
    while edge.connections:
        edge.abort()
        await asyncio.sleep(0)
    workload.close()


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


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve with some limits changed, until the test ends."""
    ends: list[Callable[[], None]] = []

    def start(**changed: Any) -> Server:
        begun, place = threading.Event(), []

        def ready(server: Server, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
            place.append(server)
            ends.append(server.application.go.set)
            ends.append(server.close)
            ends.append(lambda: loop.call_soon_threadsafe(stop.set))
            begun.set()

        limits = EdgeLimits(**{**LIMITS, **changed})
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(limits, Application(), ready)), daemon=True
        )
        thread.start()
        assert begun.wait(PATIENCE_S)
        ends.append(lambda: thread.join(PATIENCE_S))
        return place[0]

    yield start
    for end in ends:
        end()
