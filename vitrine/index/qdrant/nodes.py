"""The addresses of Qdrant, the clients that speak to them, and a memory of those that are away."""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
import time
import warnings
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Protocol

import httpx
from qdrant_client import QdrantClient

from vitrine.errors import IndexUnavailable
from vitrine.index.qdrant.errors import FOREIGN
from vitrine.index.qdrant.grpc_client import GrpcClient
from vitrine.settings import QdrantSettings

__all__ = ["LocalNode", "Node", "Nodes", "OwnClient", "RemoteNode", "addresses"]

AWAY_FOR_S = 5.0
"""Seconds for which an address that could not be reached is asked only when no other one is
left."""
GRPC_OPTIONS = {
    # by default a server that was down is tried again after up to two minutes
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    # by default the name server is asked every 30 seconds at most: so long a Qdrant that came back
    # under another address would not be reached
    "grpc.dns_min_time_between_resolutions_ms": 500,
    # notices a connection whose other end has vanished
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 5_000,
}


def addresses(settings: QdrantSettings) -> list[str]:
    """The addresses in `qdrant_url`, which commas part; one for local mode."""
    if "://" not in settings.qdrant_url:
        return [settings.qdrant_url]
    return [url.strip() for url in settings.qdrant_url.split(",")]


class Node(Protocol):
    """One address of Qdrant."""

    @property
    def url(self) -> str:
        """The address."""
        ...

    def client(self, kind: str) -> Any:
        """The client for "reads" or "writes", which have timeouts of their own."""
        ...

    def close(self) -> None:
        """Close the clients."""
        ...


class OwnClient:
    """A client that was handed in: it answers every call and is not closed."""

    url = "the client that was handed in"

    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, kind: str) -> Any:  # one client answers reads and writes
        """The client."""
        return self._client

    def close(self) -> None:
        """Nothing: the client belongs to whoever handed it in."""


class RemoteNode:
    """A server, with a client for reads and one for writes, made when they are first needed."""

    def __init__(self, url: str, settings: QdrantSettings) -> None:
        self.url = url
        self._settings = settings
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, kind: str) -> Any:
        """The client for "reads" or "writes"."""
        with self._lock:
            if kind not in self._clients:
                self._clients[kind] = self._made(kind)
            return self._clients[kind]

    def close(self) -> None:
        """Close both clients."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            # what is left of a broken connection interests nobody
            with contextlib.suppress(*FOREIGN):
                client.close()

    def _made(self, kind: str) -> QdrantClient | GrpcClient:
        settings = self._settings
        seconds = settings.qdrant_timeout_s if kind == "reads" else settings.qdrant_write_timeout_s
        with warnings.catch_warnings():
            # a key over plain HTTP is usual between the containers of one host
            warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
            client = QdrantClient(
                url=self.url,
                grpc_port=settings.qdrant_grpc_port,
                prefer_grpc=settings.qdrant_grpc,
                api_key=settings.qdrant_api_key.get_secret_value() or None,
                timeout=seconds,
                grpc_options=dict(GRPC_OPTIONS),
                # would ask the server from a thread and only warn; `check` says what is wrong
                check_compatibility=False,
                verify=_trusted(),
            )
        return GrpcClient(client, timeout_s=seconds) if settings.qdrant_grpc else client


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that every client of this process trusts: reading them takes longer than
    all the rest of making a client, which reads its own otherwise, even for gRPC."""
    return httpx.create_ssl_context()


local_lock = threading.RLock()
"""The client's local mode is not thread-safe."""
_folders: dict[str, tuple[QdrantClient, int]] = {}
"""Open folders of local mode: client and number of connections; only touched under the lock."""


class LocalNode:
    """The client's local mode; all connections of a process to one folder share a client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = os.path.realpath(url)
        self._client: QdrantClient | None = None

    def client(self, kind: str) -> Any:  # one client answers reads and writes
        """The client."""
        with local_lock:
            if self._client is None:
                self._client = (
                    QdrantClient(":memory:") if self.url == ":memory:" else self._shared()
                )
            return self._client

    def close(self) -> None:
        """Close the client when no other connection uses it."""
        with local_lock:
            client, self._client = self._client, None
            if client is None:
                return
            shared, users = _folders.pop(self._folder, (client, 1))
            if shared is client and users > 1:
                _folders[self._folder] = (client, users - 1)
                return
            with contextlib.suppress(*FOREIGN):
                client.close()

    def _shared(self) -> QdrantClient:
        client, users = _folders.get(self._folder) or (
            QdrantClient(path=self._folder, force_disable_check_same_thread=True),
            0,
        )
        _folders[self._folder] = (client, users + 1)
        return client


class Nodes:
    """Which address is asked next; safe to use from several threads."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._away_until = dict.fromkeys((node.url for node in nodes), 0.0)
        self._closed = False

    def all(self) -> Sequence[Node]:
        """All addresses, in the order of the setting."""
        return tuple(self._nodes)

    def choose(self, tried: Collection[str] = ()) -> Node:
        """The first address that is not away and has not been tried; else the one away longest."""
        if self._closed:
            raise IndexUnavailable("the connection to Qdrant has been closed; open the index again")
        now = time.monotonic()
        for node in self._nodes:
            if node.url not in tried and self._away_until[node.url] <= now:
                return node
        return min(self._nodes, key=lambda node: self._away_until[node.url])

    def others(self, tried: Collection[str]) -> bool:
        """Whether an address is left that has not been tried and is not away."""
        now = time.monotonic()
        return any(
            node.url not in tried and self._away_until[node.url] <= now for node in self._nodes
        )

    def away(self, node: Node) -> None:
        """Note that an address could not be reached."""
        self._away_until[node.url] = time.monotonic() + AWAY_FOR_S

    def back(self, node: Node) -> None:
        """Note that an address has answered."""
        self._away_until[node.url] = 0.0

    def close(self) -> None:
        """Close all clients; may be called twice."""
        self._closed = True
        for node in self._nodes:
            node.close()
