"""Whether the caller for whom this thread works is still waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["abandoned_when", "is_abandoned"]


def _never() -> bool:
    return False


_asker_gone: ContextVar[Callable[[], bool]] = ContextVar("asker_gone", default=_never)


@contextmanager
def abandoned_when(gone: Callable[[], bool]) -> Iterator[None]:
    """Let long work within ask `gone` now and then, and stop when it is true."""
    token = _asker_gone.set(gone)
    try:
        yield
    finally:
        _asker_gone.reset(token)


def is_abandoned() -> bool:
    """Whether the caller of this work has gone, so that nobody waits for its result."""
    return _asker_gone.get()()
