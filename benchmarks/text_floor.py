"""What texts cost without a service: one at a time, and as many together as a service embeds.

`python -m benchmarks.text_floor` is the process that is measured: it holds the model and no more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks.report import median
from benchmarks.texts import NewTexts
from vitrine.embedding.load import load_encoder
from vitrine.serving import run_once
from vitrine.settings import Settings

__all__ = ["BATCH", "TextFloor", "measure_text_floor"]

BATCH = 16
_ROUNDS = 40
_PROCESSES = 3
"""One text took 5.7 to 9.4 ms in six processes of the same hour: how a process lies in memory
matters, so the quickest of some is the floor."""


@dataclass(frozen=True)
class TextFloor:
    """Milliseconds of one text, texts a second in batches of `BATCH`, and megabytes of a process
    that holds the model."""

    one_ms: float
    batched_rate: float
    model_mb: float


def measure_text_floor(settings: Settings) -> TextFloor:
    """The floor on this machine: the quickest of some processes that hold the model alone."""
    floors = [_measured(settings) for _ in range(_PROCESSES)]
    return TextFloor(
        min(floor.one_ms for floor in floors),
        max(floor.batched_rate for floor in floors),
        median([floor.model_mb for floor in floors]),
    )


def _measured(settings: Settings) -> TextFloor:
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(settings.data_dir), settings.model],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return TextFloor(**json.loads(done.stdout))


def _floor(settings: Settings) -> TextFloor:
    before = psutil.Process().memory_full_info().pss
    encoder, texts = load_encoder(settings), NewTexts()
    run_once(encoder)

    def seconds(batch: Sequence[str]) -> float:
        began = perf_counter()
        encoder.embed_texts(batch)
        return perf_counter() - began

    one = [seconds(texts.some(1)) for _ in range(_ROUNDS)]
    many = [seconds(texts.some(BATCH)) for _ in range(_ROUNDS)]
    held = psutil.Process().memory_full_info().pss - before
    return TextFloor(median(one) * 1e3, BATCH / median(many), held / 1e6)


if __name__ == "__main__":
    data_dir, model = sys.argv[1:]
    settings_of_service = Settings(data_dir=Path(data_dir), model=model, runtime="onnx")
    print(json.dumps(asdict(_floor(settings_of_service))))
