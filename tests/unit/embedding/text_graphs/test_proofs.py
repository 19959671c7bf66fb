"""A graph that does not prove itself is not used, and the log says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
import torch

from tests.unit.embedding.text_graphs.towers import (
    Forward,
    Graphs,
    Models,
    apart,
    some_texts,
    tower_of,
)
from vitrine.embedding import text_graphs
from vitrine.embedding.ports import Compute

pytestmark = pytest.mark.slow  # loads torch


def told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What the log says of the graphs, at least as a warning."""
    ours = (record for record in caplog.records if record.name == text_graphs.__name__)
    return [record for record in ours if record.levelno >= logging.WARNING]


def of_before(forward: Forward) -> Forward:
    """What was there when it was captured, as of memory that is not the graph's."""
    rows = forward()
    return lambda: rows


def rotated(forward: Forward) -> Forward:
    return lambda: forward().roll(1, dims=0)


def noisy(forward: Forward) -> Forward:
    def replay() -> torch.Tensor:
        rows = forward()
        return rows + 0.1 * rows.std() * torch.randn(rows.shape)

    return replay


def nothing(forward: Forward) -> Forward:
    return lambda: torch.zeros_like(forward())


def no_number(forward: Forward) -> Forward:
    return lambda: torch.full_like(forward(), torch.nan)


def failing(forward: Forward) -> Forward:
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nCompile with")


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        (of_before, "the vectors differ from those of the plain forward pass (cosine"),
        (rotated, "the vectors differ from those of the plain forward pass (cosine"),
        (noisy, "the vectors differ from those of the plain forward pass (cosine"),
        (nothing, "the vectors differ from those of the plain forward pass (cosine nan"),
        (no_number, "the vectors differ from those of the plain forward pass (cosine nan"),
        (failing, "RuntimeError: CUDA error: operation not permitted when stream is capturing"),
    ],
)
@pytest.mark.parametrize("at", [0, 2])
def test_a_graph_that_fails_or_differs_leaves_all_texts_to_the_plain_forward_pass(
    capture: Callable[[Forward], Forward],
    words: str,
    at: int,
    models: Models,
    caplog: pytest.LogCaptureFixture,
) -> None:
    torch.manual_seed(3)
    loaded, numbers, graphs = models("clip"), count(), Graphs()

    def unreliable(forward: Forward) -> Forward:
        return capture(forward) if next(numbers) >= at else graphs(forward)

    tower = tower_of(loaded)
    tower.capture_texts(loaded.tokenizer, unreliable)
    assert tower.compute == Compute("cpu", "fp32", text_graphs=False)
    (record,) = told(caplog)
    assert words in record.getMessage()
    size = 2 if capture is rotated and at == 0 else 2**at  # a single row cannot be rotated
    beginning = f"texts are embedded without CUDA graphs: for {size} x 16 tokens "
    assert record.getMessage().startswith(beginning)
    assert "Compile with" not in record.getMessage()
    replayed, tokens = graphs.replayed, some_texts(3, loaded.tokenizer)
    assert np.array_equal(tower.encode_texts(tokens), tower_of(loaded).encode_texts(tokens))
    assert graphs.replayed == replayed


def test_vectors_that_are_all_alike_are_not_taken_for_each_other(models: Models) -> None:
    """A tower whose vectors hardly differ, as of a model without training, is no excuse."""

    def alike(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        own = torch.sin((ids * mask).sum(dim=1)[:, None] * torch.arange(1, 9))
        return 1000 + 10 * own

    def judged(capture: Callable[[Forward], Forward]) -> object:
        tokenizer = models("clip").tokenizer
        with torch.inference_mode():
            return text_graphs.capture_text_graphs(
                alike, tokenizer, capture, device="cpu", least_cosine=0.999
            )

    assert judged(Graphs()) is not None
    assert judged(rotated) is None


def test_a_shape_without_memory_is_left_out_in_words(
    models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    loaded, graphs = models("clip"), Graphs()

    def narrow(forward: Forward) -> Forward:
        if len(forward()) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")
        return graphs(forward)

    tower = tower_of(loaded)
    tower.capture_texts(loaded.tokenizer, narrow)
    assert tower.compute.text_graphs
    (record,) = told(caplog)
    left_out = ", ".join(
        f"{size} x {length} tokens" for length in (16, 32, 77) for size in (16, 32, 64)
    )
    assert record.getMessage() == f"cpu has no memory for CUDA graphs of {left_out}"
    for number, replays in ((8, 1), (9, 0)):
        before, tokens = graphs.replayed, some_texts(number, loaded.tokenizer)
        rows = tower.encode_texts(tokens)
        assert apart(rows, tower_of(loaded).encode_texts(tokens)) < 1e-5
        assert graphs.replayed == before + replays
