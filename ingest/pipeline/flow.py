"""Threads that hand work to each other through bounded channels; the first error ends them all."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Channel", "Closed", "Flow", "Promise"]

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

    def promise(self) -> Promise[T]:
        """A new value that a stage will give."""
        return Promise(self)

    def stage(
        self, name: str, work: Callable[[], None], *, into: Sequence[Channel[Any]] = ()
    ) -> None:
        """Run `work` in a thread; the channels it puts `into` close when all their stages end."""
        for channel in into:
            channel.producers += 1
        self._threads.append(
            threading.Thread(target=self._run, args=(work, into), name=name, daemon=True)
        )

    def run(self, *, tick: Callable[[], None], every_s: float) -> None:
        """Start all stages and wait for them, calling `tick` meanwhile.

        Raises the error of the first that failed.
        """
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

    def check(self) -> None:
        """End the stage that calls when another one failed."""
        if self.stopped:
            raise _Stopped

    def _fail(self, error: BaseException | None) -> None:
        with self.changed:
            self.stopped = True
            self._error = self._error or error
            self.changed.notify_all()


class Promise(Generic[T]):
    """A value that one stage of a flow gives, once, and any number of others wait for."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._values: list[T] = []
        self._error: Exception | None = None

    def give(self, value: T) -> None:
        """Hand the value to all who wait, now or later."""
        with self._flow.changed:
            self._values.append(value)
            self._flow.changed.notify_all()

    def fail(self, error: Exception) -> None:
        """Raise the error wherever the value is waited for."""
        with self._flow.changed:
            self._error = error
            self._flow.changed.notify_all()

    def wait(self) -> T:
        """The value, once it is there; raises what `fail` was given."""
        with self._flow.changed:
            while not self._values:
                if self._error is not None:
                    raise self._error
                self._flow.check()
                self._flow.changed.wait()
            return self._values[0]


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
            self._flow.check()
            self._items.append(item)
            changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The next thing; None when nothing came in time, `Closed` when nothing will come."""
        changed = self._flow.changed
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with changed:
            while not self._items:
                self._flow.check()
                if self.producers == 0:
                    raise Closed
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return None
                changed.wait(left)
            self._flow.check()
            item = self._items.popleft()
            changed.notify_all()
            return item
