"""Texts as graphs have the vectors of the plain forward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.data.open_clip import FOLDERS, TEXTS
from tests.unit.embedding.text_graphs.towers import (
    FAMILIES,
    OPEN_CLIP,
    SEED,
    Graphs,
    Models,
    apart,
    load_tower,
    some_texts,
    tower_of,
)
from vitrine.embedding import torch_runtime
from vitrine.embedding.load import load_embedder
from vitrine.embedding.ports import Compute
from vitrine.embedding.torch_runtime import TorchDualEncoderModel
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]


@pytest.mark.parametrize("family", FAMILIES)
def test_padded_texts_have_the_vectors_of_the_plain_forward_pass(
    family: str, models: Models
) -> None:
    print("seed", SEED)
    loaded, graphs = models(family), Graphs()
    plain, graphed = tower_of(loaded), tower_of(loaded)
    graphed.capture_texts(loaded.tokenizer, graphs)
    assert graphed.compute == Compute("cpu", "fp32", text_graphs=True)
    proofs = graphs.replayed
    assert proofs == graphs.captured >= 7
    numbers = (1, 2, 3, 5, 9, 16, 33, 64)
    for number in numbers:
        tokens = some_texts(number, loaded.tokenizer)
        assert apart(graphed.encode_texts(tokens), plain.encode_texts(tokens)) < 1e-5
    assert graphs.replayed - proofs == len(numbers)


@pytest.mark.parametrize("family", OPEN_CLIP)
def test_texts_as_graphs_have_the_vectors_of_open_clip_itself(
    family: str, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = Graphs()
    monkeypatch.setattr(torch_runtime, "choose_capture", lambda *_: graphs)
    embedder = load_embedder(configured(model=str(FOLDERS / family), runtime="torch"))
    assert embedder.compute.text_graphs
    before = graphs.replayed
    rows = embedder.embed_texts(TEXTS)
    assert graphs.replayed == before + 1
    with np.load(FOLDERS / family / "expected.npz") as expected:
        assert (rows * expected["texts"]).sum(axis=1).min() > 0.9999


def test_in_bf16_the_rounding_of_another_padding_is_no_difference(models: Models) -> None:
    tower = tower_of(models("open_clip clip"), "bf16")
    try:
        tower.capture_texts(models("open_clip clip").tokenizer, Graphs())
    finally:
        models("open_clip clip").model.float()
    assert tower.compute.text_graphs


def test_more_texts_than_a_graph_takes_are_embedded_plainly(models: Models) -> None:
    loaded, graphs = models("clip"), Graphs()
    tower = tower_of(loaded)
    tower.capture_texts(loaded.tokenizer, graphs)
    before = graphs.replayed
    tokens = some_texts(65, loaded.tokenizer)
    assert np.array_equal(tower.encode_texts(tokens), tower_of(loaded).encode_texts(tokens))
    assert graphs.replayed == before


def test_of_many_threads_each_gets_its_own_rows(models: Models) -> None:
    print("seed", SEED)
    loaded = models("clip")
    tower = tower_of(loaded)
    tower.capture_texts(loaded.tokenizer, Graphs())
    threads, turns = 16, 12
    batches = [some_texts(1 + number % 9, loaded.tokenizer) for number in range(threads)]
    expected = [tower_of(loaded).encode_texts(tokens) for tokens in batches]
    begin, wrong = threading.Barrier(threads), list[int]()

    def ask(number: int) -> None:
        begin.wait(timeout=240)
        for _ in range(turns):
            rows = tower.encode_texts(batches[number])
            if not apart(rows, expected[number]) < 1e-5:
                wrong.append(number)

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=240)
    assert not any(worker.is_alive() for worker in workers)
    assert wrong == []


class OneDevice(TorchDispatchMode):
    """Tells of each operation that takes values from the host."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs)):
            assert not isinstance(value, torch.Tensor) or value.is_meta, f"{func} reads the host"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_tower_reads_values_back_or_brings_some_while_it_is_captured(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either would end a capture. Tensors without values ("meta") stand in for those of a card:
    nothing can be read from them, nor mixed with what lies on the host."""
    loaded = load_tower(family, tmp_path)
    shape = loaded.tokenizer.encode(["a red dress", "chair"]).ids.shape
    tower = TorchDualEncoderModel(
        loaded.model, device="meta", precision="fp32", masked=loaded.tokenizer.config.masked
    )
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with torch.inference_mode(), OneDevice():
        ids, mask = torch.ones((2, *shape), dtype=torch.int64, device="meta")
        assert tower._text_rows(ids, mask).shape[0] == 2
