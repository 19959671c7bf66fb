"""The batch size is found while the work goes on."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.pipeline.embed_stage import BatchSize
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import Shop
from vitrine.embedding import Compute
from vitrine.errors import DeviceFull


def settle(batch: BatchSize, seconds: Callable[[int], float], rounds: int = 40) -> int:
    for _ in range(rounds):
        batch.measured(batch.size, seconds(batch.size))
    return batch.size


def test_a_fixed_size_stays() -> None:
    assert settle(BatchSize(24), lambda n: n) == 24


def test_where_batching_gains_nothing_the_smallest_size_is_kept() -> None:
    assert settle(BatchSize(0), lambda n: 0.06 * n) == BatchSize.SMALLEST


def test_the_size_grows_for_as_long_as_that_pays() -> None:
    assert settle(BatchSize(0), lambda n: 0.1 + 0.01 * max(0, n - 32)) == 32


def test_the_size_has_an_end() -> None:
    assert settle(BatchSize(0), lambda _: 0.1) == BatchSize.LARGEST


def test_a_size_without_memory_is_never_tried_again() -> None:
    batch = BatchSize(0)
    for _ in range(5):
        batch.measured(batch.size, 0.1)
    batch.too_large(32)
    assert settle(batch, lambda _: 0.001) == 16
    batch.too_large(1)
    assert batch.size == 1


class Card(FakeEmbedder):
    """A stand-in for a model on a card, with memory for so many pictures at once."""

    def __init__(self, memory: int) -> None:
        super().__init__()
        self.compute = Compute("cuda", "bf16")
        self.memory = memory
        self.batches: list[int] = []
        self.held = False
        """Whether memory of a failed pass was still held in its thread's next pass."""
        self._taken: dict[int, weakref.ref[NDArray[np.float32]]] = {}

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pixels))
        taken = self._taken.pop(threading.get_ident(), None)
        self.held = self.held or (taken is not None and taken() is not None)
        if len(pixels) > self.memory:
            activations = np.zeros(len(pixels), np.float32)
            self._taken[threading.get_ident()] = weakref.ref(activations)
            raise DeviceFull("the card has too little memory")
        return super().embed_pixels(pixels)


def test_the_size_of_a_card_is_found_before_its_first_batch(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    card = Card(memory=10)
    shop.embedder = card
    shop.fill_index(30)
    summary = shop.ingest()
    assert card.batches[:4] == [8, 8, 8, 16]
    assert (summary.device, summary.precision, summary.batch) == ("cuda", "bf16", 8)
    assert (summary.done, summary.failed) == (30, 0)
    filling = shop.versions.live().info.filling
    assert filling is not None
    assert (filling.device, filling.precision, filling.batch) == ("cuda", "bf16", 8)
    assert 0 < filling.seconds <= summary.total_seconds


def test_a_batch_without_memory_is_embedded_in_halves(tmp_path: Path) -> None:
    shop = Shop(tmp_path, batch_size=12)
    card = shop.embedder = Card(memory=3)
    shop.fill_index(24)
    summary = shop.ingest()
    assert not card.held, "a half is embedded once what the whole had taken is free"
    assert (summary.done, summary.failed) == (24, 0)
    assert summary.batch in (2, 3), (
        "half of the smallest batch that did not fit, which may be the last"
    )
    assert len(shop.records) == 24


def test_a_card_without_memory_for_one_picture_ends_the_run(tmp_path: Path) -> None:
    shop = Shop(tmp_path, batch_size=2)
    shop.embedder = Card(memory=0)
    shop.fill_index(4)
    with pytest.raises(DeviceFull):
        shop.ingest()


def test_the_first_batch_and_partial_ones_do_not_count() -> None:
    batch = BatchSize(0)
    batch.measured(8, 60.0)
    batch.measured(3, 0.001)
    assert batch.size == 8
    assert settle(batch, lambda n: 0.1 + 0.01 * max(0, n - 16)) == 16
