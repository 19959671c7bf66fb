"""Requests to Qdrant: which address is asked, timeouts, retries, and failures as our errors."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from vitrine.index.qdrant.errors import FOREIGN, Row, never_sent, row_of, translated
from vitrine.index.qdrant.nodes import (
    LocalNode,
    Node,
    Nodes,
    OwnClient,
    RemoteNode,
    addresses,
    local_lock,
)
from vitrine.settings import QdrantSettings

__all__ = ["Connection"]

_PAUSE_S = 0.1
"""Between two tries, at first; each further pause is twice as long."""
_LONGEST_PAUSE_S = 2.0
_TIMED = frozenset({"query_points", "query_batch_points", "scroll", "count", "facet", "retrieve"})
"""Reads that take a timeout of their own."""
_THREADS = 32
"""Reads of one process that may be in flight beside those of the threads that ask."""

T = TypeVar("T")


class Connection:
    """Calls methods of the client by name and raises every failure as one of our errors.

    Safe to call from several threads. `qdrant_url` names one address or several. The first that is
    not away answers; one that cannot be reached is passed over for a while, and the request goes to
    the next at once. Local mode (`qdrant_url` is `:memory:` or a folder) is not thread-safe, so it
    is locked.
    """

    def __init__(self, settings: QdrantSettings, *, client: Any = None) -> None:
        """A `client` handed in answers every call, one after the other, and is not closed."""
        self._settings = settings
        self.local = "://" not in settings.qdrant_url
        remote = not self.local and client is None
        self.speaks_grpc = settings.qdrant_grpc and remote
        self._nodes = Nodes(_nodes(settings, client))
        self._threads = ThreadPoolExecutor(_THREADS, "qdrant") if remote else None

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What calls of `read` answer; a server gets them at the same time.

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

    def begin(self, call: Callable[[], T]) -> Callable[[], T]:
        """Start a call of `read` and give what waits for its answer.

        Local mode calls it only then.
        """
        return call if self._threads is None else self._threads.submit(call).result

    def read(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that changes nothing.

        While Qdrant cannot be reached it is tried again, within `qdrant_timeout_s`.
        """
        return self._tried("reads", self._settings.qdrant_timeout_s, method, arguments)

    def read_from_every_node(self, method: str, /, **arguments: Any) -> list[Any]:
        """What each address answers to a method of `_TIMED`; those that fail are left out."""
        seconds = self._settings.qdrant_timeout_s
        arguments["timeout"] = max(1, seconds // len(self._nodes.all()))
        answers = []
        for node in self._nodes.all():
            with contextlib.suppress(*FOREIGN):
                answers.append(self._call(node, "reads", method, arguments))
        return answers

    def write(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that may be repeated without harm, as every write of points with fixed
        ids may."""
        return self._tried("writes", self._settings.qdrant_write_timeout_s, method, arguments)

    def manage(self, method: str, /, **arguments: Any) -> Any:
        """Call a method that must not be repeated, such as making a collection.

        `Conflict` when the name is taken.
        """
        tried: list[str] = []
        while True:
            node = self._nodes.choose(tried)
            tried.append(node.url)
            try:
                return self._call(node, "writes", method, arguments)
            except FOREIGN as error:
                # what never reached a server may be sent to another one
                if never_sent(error):
                    self._nodes.away(node)
                    if self._nodes.others(tried):
                        continue
                raise translated(error, self._settings.qdrant_url) from error

    def close(self) -> None:
        """Close the clients; may be called twice."""
        self._nodes.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    def _tried(self, kind: str, seconds: int, method: str, arguments: dict[str, Any]) -> Any:
        """Ask one address after the other, and after a pause again, within the deadline."""
        until = time.monotonic() + seconds
        tried: list[str] = []
        failures, pause = 0, _PAUSE_S
        while True:
            node = self._nodes.choose(tried)
            tried.append(node.url)
            others = self._nodes.others(tried)
            if method in _TIMED:
                # where another address could answer, half of what is left is kept for it
                left = until - time.monotonic()
                arguments["timeout"] = max(1, round(left / 2 if others else left))
            try:
                answer = self._call(node, kind, method, arguments)
            except FOREIGN as error:
                row = row_of(error)
                if row.away:
                    self._nodes.away(node)
                if others and (row.transient or (row.away and kind == "reads")):
                    continue
                failures += 1
                if not self._again(row, kind, failures) or time.monotonic() + pause >= until:
                    raise translated(error, self._settings.qdrant_url) from error
            else:
                self._nodes.back(node)
                return answer
            time.sleep(pause)
            tried, pause = [], min(2 * pause, _LONGEST_PAUSE_S)

    def _again(self, row: Row, kind: str, failures: int) -> bool:
        """Whether the same request is sent again after a pause.

        A cluster that has lost a node needs seconds to agree on who takes the writes of its shards;
        these wait for that. A search is better told that it cannot be answered.
        """
        if row.outlasted and kind == "writes":
            return True
        return row.transient and failures <= self._settings.qdrant_retries

    def _call(self, node: Node, kind: str, method: str, arguments: dict[str, Any]) -> Any:
        client = node.client(kind)
        with local_lock if self.local else contextlib.nullcontext():
            return getattr(client, method)(**arguments)


def _nodes(settings: QdrantSettings, client: Any) -> list[Node]:
    if client is not None:
        return [OwnClient(client)]
    if "://" not in settings.qdrant_url:
        return [LocalNode(settings.qdrant_url)]
    return [RemoteNode(url, settings) for url in addresses(settings)]
