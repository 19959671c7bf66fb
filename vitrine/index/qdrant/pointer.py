"""The name of the live version, cached so that a search needs no request for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

__all__ = ["FRESH_FOR_S", "LivePointer"]

FRESH_FOR_S = 1.0
"""Seconds for which what was read of the versions is reused.

So long, at most, a process may answer from the version before after another process has published;
and it asks Qdrant at most once in that time. A publish in the same process is followed at once.
"""

_changes: dict[Hashable, int] = {}
"""By catalog: how often this process has changed its versions."""
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    changes: int
    until: float


class LivePointer:
    """The name of the live version; `read` asks Qdrant, `catalog` tells catalogs apart."""

    def __init__(self, catalog: Hashable, read: Callable[[], str | None]) -> None:
        self._catalog = catalog
        self._read = read
        self._known: _Known | None = None

    @property
    def changes(self) -> int:
        """A number that grows with every change made by this process."""
        return _changes.get(self._catalog, 0)

    def name(self) -> str | None:
        """The live version's name, at most `FRESH_FOR_S` old; None before the first publish."""
        known, changes, now = self._known, self.changes, time.monotonic()
        if known is not None and known.changes == changes and now < known.until:
            return known.name
        name = self._read()
        self._known = None if name is None else _Known(name, changes, now + FRESH_FOR_S)
        return name

    def changed(self) -> None:
        """Note that this process has published or discarded: everyone in it asks again."""
        with _lock:
            _changes[self._catalog] = self.changes + 1

    def forget(self) -> None:
        """Ask again next time."""
        self._known = None
