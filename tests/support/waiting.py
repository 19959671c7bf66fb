"""Waiting for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["DEADLINE_S", "until"]

DEADLINE_S = 400.0
"""Far more than anything takes on a busy machine; pytest ends a test later."""
_PAUSE_S = 0.005


def until(holds: Callable[[], object], what: str = "", *, seconds: float = DEADLINE_S) -> None:
    """Return as soon as the condition is true; `AssertionError` that says `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or holds}"
        time.sleep(_PAUSE_S)
