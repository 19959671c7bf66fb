"""Queries whose vectors came from one forward pass: they are about to search at the same time.

A pass over the rows serves several queries for little more than it costs one, so it is worth
waiting for those that are on their way to it. Who they are is known where texts are embedded; that
others have texts embedded as well, such as probes, is no reason to wait for them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Cohort", "arrive", "is_searching", "searching", "set_out"]


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
_is_searching: ContextVar[bool] = ContextVar("is_searching", default=False)


@contextmanager
def searching() -> Iterator[None]:
    """This thread works for a query, which is on its way with nobody after the block: it may have
    needed no scan."""
    token = _is_searching.set(True)
    try:
        yield
    finally:
        _is_searching.reset(token)
        arrive()


def is_searching() -> bool:
    """Whether this thread works for a query."""
    return _is_searching.get()


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
