"""Third stage, in as many threads as the picture work has batches: pixels become vectors, in
batches of the size that runs best; beside them one thread makes those of texts."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TypeVar

import numpy as np

from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.models import (
    PipelineContext,
    PreparedImage,
    PreparedText,
    RunStats,
)
from ingest.pipeline.retry import retry_while_unavailable
from vitrine.embedding.many_texts import embed_many_texts
from vitrine.errors import DeviceFull

__all__ = ["BatchSize", "EmbedStage", "NoVector", "TextStage"]

_IDLE_S = 1.0
"""Seconds after which a batch goes as it is, so that a slow source does not hold products back."""
_TEXTS = 128
"""Texts that are gathered, so that each finds others of its length."""

_Item = TypeVar("_Item")


class NoVector(Exception):
    """The model failed at one picture."""


class BatchSize:
    """The number of images to embed at once; with `fixed` 0 it is found while the work goes on.

    Each size is measured twice and doubled for as long as that gains at least 5 %. The first batch
    of all only warms up.

    An H200 embeds ViT-B/32 in bf16 15 % faster in batches of 512 than of 128, and hardly faster in
    larger ones.
    """

    SMALLEST, LARGEST, GAIN = 8, 512, 1.05

    def __init__(self, fixed: int) -> None:
        self.size = fixed or self.SMALLEST
        self.largest = fixed or self.LARGEST
        self.settled = fixed > 0
        self._times: list[float] = []
        self._warm = False
        self._best = 0.0
        self._lock = Lock()

    def measured(self, images: int, seconds: float) -> None:
        """Learn from a batch; only full ones tell something. Safe from several threads."""
        with self._lock:
            if self.settled or images != self.size:
                return
            if not self._warm:
                self._warm = True
                return
            self._times.append(seconds)
            if len(self._times) == 2:
                self._decide(self.size / max(min(self._times), 1e-9))
                self._times.clear()

    def too_large(self, images: int) -> None:
        """Stay below a size that the device had no memory for."""
        with self._lock:
            self.size = max(1, min(self.size, images // 2))
            self.settled = True

    def _decide(self, rate: float) -> None:
        if rate < self._best * self.GAIN:
            self.size //= 2
            self.settled = True
        elif self.size == self.largest:
            self.settled = True
        else:
            self._best = rate
            self.size *= 2


class EmbedStage:
    """Runs the model's forward passes and nothing else.

    Several threads may share the work: while one batch runs, the next is gathered and begins, so
    that no core (or GPU) waits where the parts of a batch end at different times.
    """

    def __init__(self, context: PipelineContext, stats: RunStats) -> None:
        self._work = context.work
        self._stats = stats
        self._embedder = context.embedder
        self.batch = BatchSize(context.settings.batch_size)
        self._gathering = Lock()

    def _calibrate(self) -> None:
        """Find the batch size of a card before the first batch, so that it alone is measured.

        It takes a fraction of a second, in which the other stages come to wait. On a CPU the stages
        share the cores, and the size is found while they do.
        """
        if self.batch.settled or self._embedder.compute.device == "cpu":
            return
        blank = np.zeros((BatchSize.LARGEST, *self._embedder.pictures.shape, 3), np.uint8)
        while not self.batch.settled:
            began, size = time.monotonic(), self.batch.size
            try:
                self._embedder.embed_pixels(blank[:size])
            except DeviceFull:
                self.batch.too_large(size)
            else:
                self.batch.measured(size, time.monotonic() - began)

    def work(self, incoming: Channel[PreparedImage]) -> None:
        """Embed until nothing comes any more."""
        while batch := self._gather(incoming):
            self._embed(batch)

    def _gather(self, incoming: Channel[PreparedImage]) -> list[PreparedImage]:
        """A batch, full unless the source is slow or ends; empty when nothing comes any more."""
        with self._gathering:
            return _gathered(incoming, self._batch_size)

    def _batch_size(self) -> int:
        """Asked when a picture has come: without any the model is not needed."""
        self._calibrate()
        return self.batch.size

    def _embed(self, batch: list[PreparedImage]) -> None:
        while batch:
            part = batch[: self.batch.size]  # smaller where the device had no memory meanwhile
            if self._embed_at_once(part):
                batch = batch[len(part) :]

    def _embed_at_once(self, batch: list[PreparedImage]) -> bool:
        """Whether the device had memory for it; where not, the batch size is smaller now."""
        began = time.monotonic()
        try:
            with self._stats.timed("embed"):
                pixels = [image.pixels for image in batch]
                vectors = retry_while_unavailable(partial(self._work.embed, pixels))
        except DeviceFull:
            if len(batch) == 1:
                raise
            self.batch.too_large(len(batch))
            return False
        self.batch.measured(len(batch), time.monotonic() - began)
        unusable = set(np.nonzero(~np.isfinite(vectors))[0].tolist())
        self._stats.count(embedded=len(batch) - len(unusable))
        for place, (image, vector) in enumerate(zip(batch, vectors, strict=True)):
            if place not in unusable:
                image.vector.give(vector)
            else:
                image.vector.fail(
                    NoVector(
                        "the model gives no usable vector for this picture; check the picture, and"
                        " the model's precision"
                    )
                )
        return True


class TextStage:
    """Makes the vectors of texts."""

    def __init__(self, context: PipelineContext, stats: RunStats) -> None:
        self._embedder = context.embedder
        self._stats = stats
        # the writer waits for the texts of a batch: where no more than those can come meanwhile, to
        # gather more would cost `_IDLE_S`
        self._most = min(_TEXTS, context.settings.write_batch)

    def work(self, incoming: Channel[PreparedText]) -> None:
        """Embed until nothing comes any more."""
        while texts := _gathered(incoming, lambda: self._most):
            with self._stats.timed("texts"):
                embed = partial(embed_many_texts, self._embedder, [each.text for each in texts])
                vectors = retry_while_unavailable(embed)
            for each, vector in zip(texts, vectors, strict=True):
                each.vector.give(vector)


def _gathered(incoming: Channel[_Item], size: Callable[[], int]) -> list[_Item]:
    """What has come, `size` of it unless the source is slow or ends; empty at its end."""
    items: list[_Item] = []
    limit = 1  # the size is asked for when something has come
    while len(items) < limit:
        try:
            more = incoming.take_some(limit - len(items), _IDLE_S if items else None)
        except Closed:
            return items
        if not more:
            return items
        items += more
        limit = size()
    return items
