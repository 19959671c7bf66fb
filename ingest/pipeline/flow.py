"""Threads that hand work to each other through bounded channels; the first error ends them all."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Channel", "Closed", "Flow"]

T = TypeVar("T")

_PATIENCE_S = 30.0
"""Seconds that a stage gets to end when another one failed; it may hang in a source."""


class Closed(Exception):
    """All who put have finished and everything has been taken."""


class _Stopped(Exception):
    """Another stage failed."""


class Flow:
    """The stages of one pipeline."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.stopped = False
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def channel(self, capacity: int) -> Channel[T]:
        """A new channel that holds at most `capacity` things."""
        return Channel(self, capacity)

    def stage(
        self, name: str, work: Callable[[], None], *, into: Sequence[Channel[Any]] = ()
    ) -> None:
        """Run `work` in a thread of its own; the channels it puts `into` close when all their stages have ended."""
        for channel in into:
            channel.producers += 1
        self._threads.append(
            threading.Thread(target=self._run, args=(work, into), name=name, daemon=True)
        )

    def run(self, *, tick: Callable[[], None], every_s: float) -> None:
        """Start all stages and wait for them, calling `tick` meanwhile; then raise the error of the first that failed."""
        for thread in self._threads:
            thread.start()
        try:
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(every_s)
                    tick()
        finally:
            self._fail(None)
            for thread in self._threads:
                thread.join(_PATIENCE_S)
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], None], into: Sequence[Channel[Any]]) -> None:
        try:
            work()
        except _Stopped:
            pass
        except BaseException as error:  # handed to the thread that waits
            self._fail(error)
        finally:
            with self.changed:
                for channel in into:
                    channel.producers -= 1
                self.changed.notify_all()

    def _fail(self, error: BaseException | None) -> None:
        with self.changed:
            self.stopped = True
            self._error = self._error or error
            self.changed.notify_all()


class Channel(Generic[T]):
    """A bounded queue between stages of one flow."""

    def __init__(self, flow: Flow, capacity: int) -> None:
        self._flow = flow
        self._capacity = capacity
        self._items: deque[T] = deque()
        self.producers = 0

    def put(self, item: T) -> None:
        """Hand something on, waiting while the channel is full."""
        changed = self._flow.changed
        with changed:
            while len(self._items) >= self._capacity and not self._flow.stopped:
                changed.wait()
            self._check()
            self._items.append(item)
            changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The next thing; None when nothing came within the time. `Closed` when nothing will come any more."""
        changed = self._flow.changed
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with changed:
            while not self._items:
                self._check()
                if self.producers == 0:
                    raise Closed
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return None
                changed.wait(left)
            self._check()
            item = self._items.popleft()
            changed.notify_all()
            return item

    def _check(self) -> None:
        if self._flow.stopped:
            raise _Stopped
