"""How much of one core one text and one picture take, in the runtime that serves them."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image

from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["latency"]

_REPEATS = 60


def latency(folder: Path) -> dict[str, float]:
    """Returns the median milliseconds of embedding one text and one picture of 320 x 320 pixels,
    preparation included.

    The engine's own embedder on ONNX Runtime, one thread, nothing cached. Processor time: what a
    busy machine makes it wait is not counted.
    """
    with TemporaryDirectory() as data:
        settings = Settings(
            data_dir=Path(data),
            model=str(folder),
            runtime="onnx",
            device="cpu",
            model_threads=1,
            embedding_cache=0,
        )
        embedder = Vitrine(settings).embedder
        picture = Image.new("RGB", (320, 320), (200, 30, 40))
        return {
            "text": _milliseconds(lambda: embedder.embed_texts(["a red dress"])),
            "image": _milliseconds(lambda: embedder.embed_images([picture])),
        }


def _milliseconds(action: Callable[[], object]) -> float:
    spans = []
    action()
    for _ in range(_REPEATS):
        start = time.process_time()
        action()
        spans.append(time.process_time() - start)
    return 1000 * median(spans)
