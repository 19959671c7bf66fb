"""Threads that hand work to each other through bounded channels; the first error ends them all."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from vitrine.errors import DecoderBusy

__all__ = ["Channel", "Closed", "Flow", "Promise"]

T = TypeVar("T")

_PATIENCE_S = 30.0
"""Seconds that a stage gets to end when another one failed; it may hang in a source."""
_NO_THREAD = "start new thread"
"""In the message of Python's error where the system starts no more threads."""


class Closed(Exception):
    """All who put have finished and everything has been taken."""


class _Stopped(Exception):
    """Another stage failed."""


class Flow:
    """The stages of one pipeline."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stopped = False
        self._waited_for: list[threading.Condition] = []
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

        Raises the error of the first that failed; `DecoderBusy` where the system starts no more
        threads, of the flow or of a stage.
        """
        started: list[threading.Thread] = []
        try:
            for thread in self._threads:
                thread.start()
                started.append(thread)
            for thread in started:
                while thread.is_alive():
                    thread.join(every_s)
                    tick()
        except RuntimeError as error:
            self._fail(_in_words(error))
        finally:
            self._fail(None)
            for thread in started:
                thread.join(_PATIENCE_S)
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], None], into: Sequence[Channel[Any]]) -> None:
        try:
            work()
        except _Stopped:
            pass
        except BaseException as error:  # handed to the thread that waits
            self._fail(_in_words(error))
        finally:
            with self.lock:
                for channel in into:
                    channel.producers -= 1
                    channel.filled.notify_all()

    def check(self) -> None:
        """End the stage that calls when another one failed."""
        if self.stopped:
            raise _Stopped

    def _fail(self, error: BaseException | None) -> None:
        with self.lock:
            self.stopped = True
            self._error = self._error or error
            for condition in self._waited_for:
                condition.notify_all()

    def wait(self, condition: threading.Condition, timeout_s: float | None = None) -> None:
        """Wait for a condition over `lock`, which is held; the end of the flow wakes, too.

        Each channel and promise has conditions of its own, so that what is handed on wakes only
        those who wait for it.
        """
        self._waited_for.append(condition)
        try:
            condition.wait(timeout_s)
        finally:
            self._waited_for.remove(condition)


def _in_words(error: BaseException) -> BaseException:
    """The error; what Python says where the system starts no more threads as `DecoderBusy`."""
    if not isinstance(error, RuntimeError) or _NO_THREAD not in str(error):
        return error
    busy = DecoderBusy(
        f"the system gives this process too little memory or too few threads ({error}); lower"
        " VITRINE_DECODE_PROCESSES and VITRINE_DECODE_THREADS, or raise its limits"
    )
    busy.__cause__ = error
    return busy


class Promise(Generic[T]):
    """A value that one stage of a flow gives, once, and any number of others wait for."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._values: list[T] = []
        self._error: Exception | None = None
        self._waiting: threading.Condition | None = None

    def give(self, value: T) -> None:
        """Hand the value to all who wait, now or later."""
        with self._flow.lock:
            self._values.append(value)
            self._wake()

    def fail(self, error: Exception) -> None:
        """Raise the error wherever the value is waited for."""
        with self._flow.lock:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.notify_all()

    def wait(self) -> T:
        """The value, once it is there; raises what `fail` was given."""
        if self._values:
            return self._values[0]
        with self._flow.lock:
            while not self._values:
                if self._error is not None:
                    raise self._error
                self._flow.check()
                if self._waiting is None:  # mostly the value is there already
                    self._waiting = threading.Condition(self._flow.lock)
                self._flow.wait(self._waiting)
            return self._values[0]


class Channel(Generic[T]):
    """A bounded queue between stages of one flow."""

    def __init__(self, flow: Flow, capacity: int) -> None:
        self._flow = flow
        self._capacity = capacity
        self._items: deque[T] = deque()
        self.filled = threading.Condition(flow.lock)
        self._freed = threading.Condition(flow.lock)
        self.producers = 0

    def put(self, item: T) -> None:
        """Hand something on, waiting while the channel is full."""
        self.put_all((item,))

    def put_all(self, items: Sequence[T]) -> None:
        """Hand things on in their order, as many at once as the channel has room for: each time
        that a thread is woken takes longer than handing on."""
        handed = 0
        with self._flow.lock:
            while handed < len(items):
                while len(self._items) >= self._capacity and not self._flow.stopped:
                    self._flow.wait(self._freed)
                self._flow.check()
                part = items[handed : handed + self._capacity - len(self._items)]
                self._items.extend(part)
                handed += len(part)
                self.filled.notify(len(part))

    def take(self, timeout_s: float | None = None) -> T | None:
        """The next thing; None when nothing came in time, `Closed` when nothing will come."""
        taken = self.take_some(1, timeout_s)
        return taken[0] if taken else None

    def take_some(self, most: int, timeout_s: float | None = None) -> list[T]:
        """What is there, up to `most`, once there is something; nothing when nothing came in time,
        `Closed` when nothing will come."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._flow.lock:
            while not self._items:
                self._flow.check()
                if self.producers == 0:
                    raise Closed
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return []
                self._flow.wait(self.filled, left)
            self._flow.check()
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._freed.notify(len(taken))
            return taken
