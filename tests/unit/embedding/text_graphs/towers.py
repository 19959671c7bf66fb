"""Tiny text towers of every family, and what stands in for CUDA graphs.

There is no card here: a stand-in runs the forward pass again, on the same memory as a graph would,
and spoils what the graphs before have answered, as graphs do that share memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tests import checkpoints
from tests.data.open_clip import FOLDERS
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.tokenizer import TokenBatch, Tokenizer
from vitrine.embedding.torch_runtime import TorchDualEncoderModel, load_dual_encoder

Forward = Callable[[], torch.Tensor]
Models = Callable[[str], LoadedModel]
SEED = random.randrange(10**6)
WRITERS = {
    "clip": checkpoints.save_clip,
    "siglip": checkpoints.save_siglip,
    "bert": checkpoints.save_dual,
    "align": checkpoints.save_align,
    "tipsv2": checkpoints.save_tipsv2,
}
OPEN_CLIP = sorted(path.parent.name for path in FOLDERS.glob("*/open_clip_config.json"))
FAMILIES = [*WRITERS, *(f"open_clip {family}" for family in OPEN_CLIP)]


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


def load_tower(family: str, home: Path) -> LoadedModel:
    """A tiny checkpoint of the family, written below `home` where it does not lie here."""
    writer = WRITERS.get(family)
    folder = FOLDERS / family.removeprefix("open_clip ")
    return load_dual_encoder(Checkpoint(family, writer(home / family) if writer else folder))


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
