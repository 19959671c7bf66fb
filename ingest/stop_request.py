"""What a signal's handler asks of the main thread."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

__all__ = ["StopRequest"]


class StopRequest:
    """Set once and awaited by one thread, which the handler of a signal may interrupt anywhere.

    `threading.Event` does not serve here: its `set` takes a lock that an interrupted `wait` of the
    same thread holds for a moment, and waits for it for ever. `SimpleQueue.put` may be called
    there, as its documentation says.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._asked = SimpleQueue[None]()

    def is_set(self) -> bool:
        """Whether it has been asked for."""
        return self._is_set

    def set(self) -> None:
        """Ask for it."""
        self._is_set = True
        self._asked.put(None)

    def wait(self, seconds: float) -> bool:
        """Whether it has been asked for, after so many seconds at most."""
        if not self._is_set:
            with suppress(Empty):
                self._asked.get(timeout=seconds)
        return self._is_set
