"""Concurrent queries share forward passes: while the model is busy, what arrives waits and
becomes the next batch."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.abandonment import is_abandoned
from vitrine.cohort import Cohort, is_searching, set_out
from vitrine.embedding.ports import Embedder
from vitrine.embedding.wrapped import WrappedEmbedder
from vitrine.errors import Abandoned, ModelBusy

__all__ = ["Batcher", "BatchingEmbedder"]

_T = TypeVar("_T")
_Rows = NDArray[np.float32]


class _Group(Generic[_T]):
    """The items of one caller: how far they have been started, and what came out."""

    def __init__(self, items: Sequence[_T]) -> None:
        self.items = items
        self._woken = SimpleQueue[None]()
        self.started = 0
        self.rows: list[_Rows | None] = [None] * len(items)
        self.missing = len(items)
        self.error: Exception | None = None
        self.is_searching = is_searching()
        """Whether the caller goes on to search with what came out."""
        self.cohort: Cohort | None = None
        """The searching callers whose items were done by the same pass, if there are others."""

    @property
    def done(self) -> bool:
        return self.missing == 0 or self.error is not None

    def wake(self) -> None:
        """Have the caller look: it is done, or may run the next batch."""
        self._woken.put(None)

    def wait(self, seconds: float) -> None:
        """Wait to be woken, so long at most."""
        with suppress(Empty):
            self._woken.get(timeout=max(0.0, seconds))


class Batcher(Generic[_T]):
    """Runs `forward` on one batch at a time, made of what any number of threads ask for meanwhile.

    There is no thread of its own and no waiting for company: a caller that finds the model idle
    runs the batch itself, with whatever waits, until its own items are done; then the first that
    still waits takes over. A caller with many items shares each batch evenly with the others.
    Nobody else is woken: a dozen threads that find nothing for them take time from those that do.
    """

    def __init__(
        self, forward: Callable[[list[_T]], _Rows], *, most: int, timeout_s: float
    ) -> None:
        self._sizes: Counter[int] = Counter()
        self._forward = forward
        self._most = most
        self._timeout_s = timeout_s
        self._waiting: deque[_Group[_T]] = deque()
        self._lock = threading.Lock()
        self._busy = False

    @property
    def batch_sizes(self) -> Counter[int]:
        """How often a batch of each size has run."""
        with self._lock:
            return self._sizes.copy()

    def run(self, items: Sequence[_T]) -> list[_Rows]:
        """One row per item.

        `ModelBusy` when the time limit passes first, `Abandoned` when nobody waits any more; an
        error of `forward` is raised to its own callers only.
        """
        group = _Group(items)
        deadline = time.monotonic() + self._timeout_s
        with self._lock:
            if group.items:
                self._waiting.append(group)
        while True:
            with self._lock:
                if group.done:
                    break
                if time.monotonic() > deadline:
                    self._give_up(group)
                batch = [] if self._busy else self._next_batch(group)
            if batch:
                self._serve(batch)
            else:
                group.wait(deadline - time.monotonic())
        if group.error is not None:
            raise group.error
        set_out(group.cohort)
        return [row for row in group.rows if row is not None]

    def _give_up(self, group: _Group[_T]) -> NoReturn:
        self._abandon(group)
        raise ModelBusy(
            f"the model did not get to this query within {self._timeout_s:g} seconds; try again"
        )

    def _next_batch(self, group: _Group[_T]) -> list[tuple[_Group[_T], int]]:
        """The batch that the caller of this group runs; its own items may be in a later one."""
        if is_abandoned():
            self._abandon(group)
            raise Abandoned("nobody waits for the answer any more")
        batch = self._take()
        self._sizes[len(batch)] += 1
        self._busy = True
        return batch

    def _take(self) -> list[tuple[_Group[_T], int]]:
        """Up to `most` items, one from each waiting caller in turn."""
        batch: list[tuple[_Group[_T], int]] = []
        while self._waiting and len(batch) < self._most:
            group = self._waiting.popleft()
            batch.append((group, group.started))
            group.started += 1
            if group.started < len(group.items):
                self._waiting.append(group)
        return batch

    def _serve(self, batch: list[tuple[_Group[_T], int]]) -> None:
        """Run the batch.

        When it fails, run each item alone, so that no caller gets the error of another.
        """
        answers: list[_Rows | Exception] = []
        try:
            answers = self._attempt([group.items[place] for group, place in batch])
        finally:
            with self._lock:
                self._busy = False
                for (group, place), answer in zip(batch, answers, strict=False):
                    if isinstance(answer, Exception):
                        group.error = answer
                        self._abandon(group)
                    else:
                        group.rows[place] = answer
                        group.missing -= 1
                self._release([group for group, _ in batch if group.done])
                self._wake_next()

    @staticmethod
    def _release(done: Sequence[_Group[_T]]) -> None:
        """Wake those whose items are done: the searching ones go on from here together."""
        groups = dict.fromkeys(done)
        searching = [group for group in groups if group.is_searching]
        if len(searching) > 1:
            cohort = Cohort(len(searching))
            for group in searching:
                group.cohort = cohort
        for group in groups:
            group.wake()

    def _attempt(self, items: list[_T]) -> list[_Rows | Exception]:
        try:
            return list(self._forward(items))
        except Exception as error:
            if len(items) == 1:
                return [error]
        # not while the error is handled: it holds what the batch has taken of the device's memory
        return [answer for item in items for answer in self._attempt([item])]

    def _abandon(self, group: _Group[_T]) -> None:
        group.is_searching = False
        if group in self._waiting:
            self._waiting.remove(group)
        self._wake_next()  # it may have been this one's turn

    def _wake_next(self) -> None:
        """Have the first who waits take over where nobody runs a batch."""
        if self._waiting and not self._busy:
            self._waiting[0].wake()


class BatchingEmbedder(WrappedEmbedder):
    """An `Embedder` whose query calls (`embed_texts`, `embed_images`) from many threads share
    forward passes.

    `preprocess` runs in the caller's thread; `preprocess` and `embed_pixels` called directly
    (ingest) pass by.
    """

    def __init__(self, inner: Embedder, *, most: int, timeout_s: float) -> None:
        super().__init__(inner)
        self._texts: Batcher[str] = Batcher(inner.embed_texts, most=most, timeout_s=timeout_s)
        self._pixels: Batcher[NDArray[np.uint8]] = Batcher(
            lambda rows: inner.embed_pixels(np.stack(rows)), most=most, timeout_s=timeout_s
        )

    @property
    def batch_sizes(self) -> Counter[int]:
        """How often a batch of each size has run, texts and pictures together."""
        return self._texts.batch_sizes + self._pixels.batch_sizes

    def embed_texts(self, texts: Sequence[str]) -> _Rows:
        """One row per text; `ModelBusy` when the model does not come to them in time."""
        return self._stacked(self._texts.run(texts))

    def embed_images(self, images: Sequence[Image]) -> _Rows:
        """One row per picture; `ModelBusy` when the model does not come to them in time."""
        return self._stacked(self._pixels.run(list(self.inner.preprocess(images))))

    def _stacked(self, rows: list[_Rows]) -> _Rows:
        return np.stack(rows) if rows else np.zeros((0, self.info.dimension), np.float32)
