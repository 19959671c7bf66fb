"""What a model's forward passes cost on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from PIL import Image

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.exported import Precision, is_exported
from vitrine.embedding.load import choose_runtime, load_encoder
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = ["Cost", "measure"]

_ROUNDS = 5
_TEXT = "a red summer dress with short sleeves"


@dataclass(frozen=True)
class Cost:
    """Median milliseconds of one text and of one picture, both alone, and the dimension."""

    runtime: str
    text_ms: float
    picture_ms: float
    dimension: int


def measure(checkpoint: Checkpoint, settings: ModelSettings) -> Cost:
    """Load the model and run it a few times, as a search and an ingest would.

    By ONNX Runtime only where the export is there already, since making one takes a minute;
    otherwise by torch. `ModelUnavailable` when it cannot be loaded.
    """
    settings = settings.model_copy(
        update={"model": checkpoint.name, "runtime": _runtime(checkpoint, settings)}
    )
    encoder = load_encoder(settings)
    side = encoder.info.image_size
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    pixels = encoder.preprocess([Image.fromarray(noise)])
    return Cost(
        settings.runtime,
        _median_ms(lambda: encoder.embed_texts([_TEXT])),
        _median_ms(lambda: encoder.embed_pixels(pixels)),
        encoder.info.dimension,
    )


def _runtime(checkpoint: Checkpoint, settings: ModelSettings) -> str:
    runtime = choose_runtime(settings)
    precision: Precision = "int8" if settings.precision == "int8" else "fp32"
    models = settings.data_dir / "models"
    if runtime == "onnx" and not is_exported(checkpoint, models, precision=precision):
        if find_spec("torch") is None:
            raise ModelUnavailable("not exported, and torch is not installed")
        return "torch"
    return runtime


def _median_ms(call: Callable[[], object]) -> float:
    call()
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1e3 * statistics.median(seconds)
