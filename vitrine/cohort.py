"""Queries whose vectors came from one forward pass: they are about to search at the same time.

A pass over the rows serves several queries for little more than it costs one, so it is worth
waiting for those that are on their way to it. Who they are is known where texts are embedded.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar

__all__ = ["Cohort", "arrive", "set_out"]


class Cohort:
    """So many queries on their way; safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._on_their_way = size
        self._lock = threading.Lock()
        self._complete = threading.Event()

    def arrive(self) -> None:
        """One is no longer on its way."""
        with self._lock:
            self._on_their_way -= 1
            if self._on_their_way == 0:
                self._complete.set()

    @property
    def complete(self) -> bool:
        """Whether nobody is on their way any more."""
        return self._complete.is_set()

    def wait(self, seconds: float) -> None:
        """Wait until it is complete, so long at most."""
        self._complete.wait(seconds)


_present: ContextVar[Cohort | None] = ContextVar("cohort", default=None)


def set_out(cohort: Cohort | None) -> None:
    """The query for which this thread works is on its way with these."""
    arrive()
    _present.set(cohort)


def arrive() -> Cohort | None:
    """It is there, or turns back: the ones with whom it was on its way, None the second time."""
    cohort = _present.get()
    if cohort is not None:
        _present.set(None)
        cohort.arrive()
    return cohort
