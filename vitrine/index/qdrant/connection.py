"""The one way to Qdrant: which client, its timeouts and retries, and what its failures become."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from qdrant_client import QdrantClient

from vitrine.errors import IndexUnavailable
from vitrine.index.qdrant.errors import FOREIGN, transient, translated
from vitrine.index.qdrant.wire import GrpcClient
from vitrine.settings import QdrantSettings

__all__ = ["Connection"]

_PAUSE_S = 0.1
"""Between two tries."""
_TIMED = frozenset({"query_points", "scroll", "count", "facet", "retrieve"})
"""Reads that take a timeout of their own."""
_GRPC_OPTIONS = {
    # by default a server that was down is tried again after up to two minutes
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    # notices a connection whose other end has vanished
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 5_000,
}
_THREADS = 32
"""Reads of one process that may be on their way beside those of the threads that ask."""

T = TypeVar("T")


class Connection:
    """Calls methods of the client by name and raises every failure as one of our errors.

    Safe to call from several threads. Two clients share the work because a client has one timeout:
    reads and writes. Local mode (`qdrant_url` is `:memory:` or a folder) has one client; that is not
    thread-safe, so it is locked, and all connections of a process to one folder share it.
    """

    def __init__(self, settings: QdrantSettings, *, client: Any = None) -> None:
        """A `client` handed in answers every call, one after the other, and is not closed."""
        self._settings = settings
        self._own_client = client
        self.local = "://" not in settings.qdrant_url
        self._lock = _local_lock if self.local else threading.RLock()
        self._clients: dict[str, Any] = {}
        self._closed = False
        self.speaks_grpc = settings.qdrant_grpc and not self.local and client is None
        parallel = not self.local and client is None
        self._threads = ThreadPoolExecutor(_THREADS, "qdrant") if parallel else None

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What calls of `read` answer; on a server they are on their way at the same time.

        The first error of the list is raised, once all have come to their end.
        """
        if self._threads is None or len(calls) < 2:
            return [call() for call in calls]
        others = [self._threads.submit(call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            for other in others:
                other.exception()  # each ends by its own timeout
        return [first, *(other.result() for other in others)]

    def read(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that changes nothing.

        While Qdrant cannot be reached it is tried again, within `qdrant_timeout_s`.
        """
        return self._tried("reads", self._settings.qdrant_timeout_s, method, arguments)

    def write(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that may be repeated without harm, as every write of points with fixed ids may."""
        return self._tried("writes", self._settings.qdrant_write_timeout_s, method, arguments)

    def manage(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that must not be repeated, such as making a collection.

        `Conflict` when the name is taken.
        """
        try:
            return self._call("writes", method, arguments)
        except FOREIGN as error:
            raise translated(error) from error

    def close(self) -> None:
        """Close the clients; may be called twice."""
        with self._lock:
            self._closed = True
            clients, self._clients = self._clients, {}
            for client in clients.values():
                # what is left of a broken connection interests nobody
                with contextlib.suppress(*FOREIGN):
                    _release(self._settings.qdrant_url, client)
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    def _tried(self, kind: str, seconds: int, method: str, arguments: dict[str, Any]) -> Any:
        until = time.monotonic() + seconds
        tries = 0
        while True:
            if method in _TIMED:
                arguments["timeout"] = max(1, round(until - time.monotonic()))
            try:
                return self._call(kind, method, arguments)
            except FOREIGN as error:
                tries += 1
                if (
                    tries > self._settings.qdrant_retries
                    or not transient(error)
                    or time.monotonic() + _PAUSE_S >= until
                ):
                    raise translated(error) from error
            time.sleep(_PAUSE_S)

    def _call(self, kind: str, method: str, arguments: dict[str, Any]) -> Any:
        client = self._client(kind)
        with self._lock if self.local else contextlib.nullcontext():
            return getattr(client, method)(**arguments)

    def _client(self, kind: str) -> Any:
        name = "local" if self.local else kind
        with self._lock:
            if self._closed:
                raise IndexUnavailable(
                    "the connection to Qdrant has been closed; open the index again"
                )
            if self._own_client is not None:
                return self._own_client
            if name not in self._clients:
                self._clients[name] = (
                    _local(self._settings) if self.local else _remote(self._settings, kind)
                )
            return self._clients[name]


_local_lock = threading.RLock()
_folders: dict[str, tuple[QdrantClient, int]] = {}
"""The open folders of local mode: client and number of connections; only touched under the lock."""


def _local(settings: QdrantSettings) -> QdrantClient:
    if settings.qdrant_url == ":memory:":
        return QdrantClient(":memory:")
    folder = os.path.realpath(settings.qdrant_url)
    client, users = _folders.get(folder) or (
        QdrantClient(path=folder, force_disable_check_same_thread=True),
        0,
    )
    _folders[folder] = (client, users + 1)
    return client


def _release(url: str, client: Any) -> None:
    folder = os.path.realpath(url)
    shared, users = _folders.get(folder, (None, 1))
    if shared is not None and shared is client and users > 1:
        _folders[folder] = (shared, users - 1)
        return
    if shared is client:
        del _folders[folder]
    client.close()


def _remote(settings: QdrantSettings, kind: str) -> QdrantClient | GrpcClient:
    seconds = settings.qdrant_timeout_s if kind == "reads" else settings.qdrant_write_timeout_s
    with warnings.catch_warnings():
        # a key over plain HTTP is usual between the containers of one host; docs/production.md
        # says when it is not enough
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        client = QdrantClient(
            url=settings.qdrant_url,
            grpc_port=settings.qdrant_grpc_port,
            prefer_grpc=settings.qdrant_grpc,
            api_key=settings.qdrant_api_key.get_secret_value() or None,
            timeout=seconds,
            grpc_options=dict(_GRPC_OPTIONS),
            # would ask the server from a thread and only warn; `check` says what is wrong
            check_compatibility=False,
        )
    return GrpcClient(client, timeout_s=seconds) if settings.qdrant_grpc else client
