"""Turns that tell who has one."""

from __future__ import annotations

import threading

__all__ = ["RecordedTurns"]


class RecordedTurns:
    """Stands in for `core_turns`: how many were taken, and whether this thread holds one."""

    def __init__(self) -> None:
        self.taken = 0
        self._lock = threading.Lock()
        self._own = threading.local()

    @property
    def held(self) -> bool:
        return getattr(self._own, "held", False)

    def __call__(self) -> RecordedTurns:
        return self

    def __enter__(self) -> None:
        assert not self.held, "a thread that waits for a second turn may wait for itself"
        self._own.held = True
        with self._lock:
            self.taken += 1

    def __exit__(self, *_: object) -> None:
        self._own.held = False
