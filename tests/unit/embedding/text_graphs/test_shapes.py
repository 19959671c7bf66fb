"""For which shapes graphs are captured, and where there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.embedding.text_graphs.towers import (
    Forward,
    Graphs,
    Models,
    some_texts,
    tower_of,
)
from vitrine.embedding import text_graphs, torch_runtime
from vitrine.embedding.load import load_embedder
from vitrine.embedding.tokenizer import Tokenizer
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]


def captured_shapes(tokenizer: Tokenizer, **rules: Any) -> set[tuple[int, int]]:
    """Shapes (texts, length) that a tower is captured with."""
    changed = Tokenizer(tokenizer.to_json(), replace(tokenizer.config, **rules))
    table = torch.randn(60_000, 16, generator=torch.Generator().manual_seed(1))
    seen, captured = list[tuple[int, int]](), set[tuple[int, int]]()

    def tower(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append((ids.shape[0], ids.shape[1]))
        return (table[ids] * mask[:, :, None]).sum(dim=1)

    def capture(forward: Forward) -> Forward:
        forward()
        captured.add(seen[-1])
        return forward

    with torch.inference_mode():
        text_graphs.capture_text_graphs(tower, changed, capture, device="cpu", least_cosine=0.999)
    return captured


def test_shapes_are_queries_titles_and_whole_texts_up_to_what_is_launched_sooner_than_computed(
    models: Models,
) -> None:
    sizes = (1, 2, 4, 8, 16, 32, 64)
    tokenizer = models("clip").tokenizer

    def of(*lengths: int) -> set[tuple[int, int]]:
        return {(size, length) for length in lengths for size in sizes}

    assert captured_shapes(tokenizer) == of(16, 32, 77)
    assert captured_shapes(tokenizer, length=24) == of(16, 24)
    assert captured_shapes(tokenizer, length=12) == of(12)
    assert captured_shapes(tokenizer, pad_to_length=True) == of(77)
    longest = captured_shapes(tokenizer, length=512) - of(16, 32)
    assert longest == {(1, 512), (2, 512), (4, 512), (8, 512)}


def test_padding_before_a_text_moves_it_and_nothing_is_captured(
    models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    assert captured_shapes(models("clip").tokenizer, pad_first=True) == set()
    assert "without CUDA graphs: there is none that fits them" in caplog.text
    fixed = captured_shapes(models("clip").tokenizer, pad_first=True, pad_to_length=True)
    assert {length for _, length in fixed} == {77}


def test_a_program_that_starts_does_not_wait_for_all_shapes(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_graphs, "_CAPTURING_S", 0.0)
    loaded, graphs, seconds = models("clip"), Graphs(), count(0, 0.0)
    clock = iter([0.0, 0.0, 0.0, 1.0])  # begun, two shapes in time, one not
    monkeypatch.setattr(text_graphs, "monotonic", lambda: next(clock, next(seconds)))
    tower = tower_of(loaded)
    tower.capture_texts(loaded.tokenizer, graphs)
    assert graphs.captured == 2
    assert tower.compute.text_graphs
    tokens = some_texts(3, loaded.tokenizer)
    assert np.array_equal(tower.encode_texts(tokens), tower_of(loaded).encode_texts(tokens))
    assert graphs.replayed == 2


@pytest.mark.parametrize(
    ("cuda_graphs", "device", "captures"),
    [("auto", "cuda:1", True), ("off", "cuda", False), ("auto", "cpu", False), ("auto", "mps", 0)],
)
def test_graphs_are_for_cuda_and_can_be_switched_off(
    cuda_graphs: str, device: str, captures: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_runtime, "CudaCapture", lambda on: (on, Graphs()))
    chosen: Any = torch_runtime.choose_capture(cuda_graphs, device)
    assert (chosen is not None) == captures
    assert not captures or chosen[0] == device


def test_the_setting_reaches_the_choice(
    clip_folder: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = []
    monkeypatch.setattr(
        torch_runtime, "choose_capture", lambda *arguments: choices.append(arguments)
    )
    settings = {"model": str(clip_folder), "runtime": "torch"}
    for each in (configured(**settings), configured(**settings, cuda_graphs="off")):
        assert not load_embedder(each).compute.text_graphs
    assert choices == [("auto", "cpu"), ("off", "cpu")]
