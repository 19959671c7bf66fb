"""Texts as graphs have the vectors of the plain forward pass, or are not embedded so.

There is no card here: what stands in for a CUDA graph runs the forward pass again, on the same
memory as a graph would, and spoils what the graphs before have answered, as graphs do that share
memory.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests import checkpoints
from tests.data.open_clip import FOLDERS, TEXTS
from vitrine.embedding import text_graphs, torch_runtime
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.load import load_embedder
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.ports import Compute
from vitrine.embedding.tokenizer import TokenBatch, Tokenizer
from vitrine.embedding.torch_runtime import TorchDualEncoderModel, load_dual_encoder
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Forward = Callable[[], torch.Tensor]
Configured = Callable[..., Settings]
SEED = random.randrange(10**6)
WRITERS = {
    "clip": checkpoints.save_clip,
    "siglip": checkpoints.save_siglip,
    "bert": checkpoints.save_dual,
    "align": checkpoints.save_align,
    "tipsv2": checkpoints.save_tipsv2,
}
OPEN_CLIP = sorted(path.parent.name for path in FOLDERS.glob("*/open_clip_config.json"))


class Graphs:
    """Graphs that are none: each runs the forward pass again."""

    def __init__(self) -> None:
        self.captured = 0
        self.replayed = 0
        self._answers: list[torch.Tensor] = []

    def __call__(self, forward: Forward) -> Forward:
        self.captured += 1
        answer = forward().clone()
        self._answers.append(answer)

        def replay() -> torch.Tensor:
            self.replayed += 1
            for other in self._answers:
                other.fill_(torch.nan)
            return answer.copy_(forward())

        return replay


@pytest.fixture(autouse=True)
def as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_graphs, "_CAPTURING_S", 1e9)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    """A tiny checkpoint of a family by name."""
    home, loaded = tmp_path_factory.mktemp("towers"), dict[str, LoadedModel]()

    def load(family: str) -> LoadedModel:
        if family not in loaded:
            writer = WRITERS.get(family)
            folder = FOLDERS / family.removeprefix("open_clip ")
            folder = folder if writer is None else writer(home / family)
            loaded[family] = load_dual_encoder(Checkpoint(family, folder))
        return loaded[family]

    return load


Models = Callable[[str], LoadedModel]
FAMILIES = [*WRITERS, *(f"open_clip {family}" for family in OPEN_CLIP)]


def tower_of(loaded: LoadedModel, precision: str = "fp32") -> TorchDualEncoderModel:
    masked = loaded.tokenizer.config.masked
    return TorchDualEncoderModel(loaded.model, device="cpu", precision=precision, masked=masked)


def some_texts(number: int, tokenizer: Tokenizer) -> TokenBatch:
    """Texts of a few words to many, each another one."""
    rng = random.Random(f"{SEED} {number}")
    words = checkpoints.WORDS.split()
    most = rng.choice((3, 8, 20, 60))
    texts = [" ".join(rng.choices(words, k=rng.randint(1, most))) for _ in range(number)]
    return tokenizer.encode(texts)


def apart(rows: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """The largest difference of a number between them at unit length."""
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, others)]
    return float(np.abs(unit[0] - unit[1]).max())


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
    asked = []
    monkeypatch.setattr(torch_runtime, "choose_capture", lambda *given: asked.append(given))
    given = {"model": str(clip_folder), "runtime": "torch"}
    for each in (configured(**given), configured(**given, cuda_graphs="off")):
        assert not load_embedder(each).compute.text_graphs
    assert asked == [("auto", "cpu"), ("off", "cpu")]


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
    writer = WRITERS.get(family)
    folder = FOLDERS / family.removeprefix("open_clip ")
    folder = folder if writer is None else writer(tmp_path / family)
    loaded = load_dual_encoder(Checkpoint(family, folder))
    shape = loaded.tokenizer.encode(["a red dress", "chair"]).ids.shape
    tower = TorchDualEncoderModel(
        loaded.model, device="meta", precision="fp32", masked=loaded.tokenizer.config.masked
    )
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with torch.inference_mode(), OneDevice():
        ids, mask = torch.ones((2, *shape), dtype=torch.int64, device="meta")
        assert tower._text_rows(ids, mask).shape[0] == 2
