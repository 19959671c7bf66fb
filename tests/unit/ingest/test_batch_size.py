"""The batch size is found while the work goes on."""

from __future__ import annotations

from collections.abc import Callable

from ingest.pipeline.embed_stage import BatchSize


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


def test_the_first_batch_and_partial_ones_do_not_count() -> None:
    batch = BatchSize(0)
    batch.measured(8, 60.0)
    batch.measured(3, 0.001)
    assert batch.size == 8
    assert settle(batch, lambda n: 0.1 + 0.01 * max(0, n - 16)) == 16
