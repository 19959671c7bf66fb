"""How much of one core one text and one picture take."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor

__all__ = ["latency"]

_REPEATS = 40


def latency(folder: Path) -> dict[str, float]:
    """Returns the median milliseconds of embedding one text and one picture with torch on one thread, preparation included.

    Processor time: what a busy machine makes it wait is not counted.
    """
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    picture = Image.new("RGB", (320, 320), (200, 30, 40))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            "text": _milliseconds(lambda: model.get_text_features(**processor.tokenizer(["a red dress"], return_tensors="pt"))),
            "image": _milliseconds(lambda: model.get_image_features(**processor.image_processor(images=[picture], return_tensors="pt"))),
        }
    finally:
        torch.set_num_threads(threads)


def _milliseconds(action: Callable[[], object]) -> float:
    spans = []
    with torch.inference_mode():
        action()
        for _ in range(_REPEATS):
            start = time.process_time()
            action()
            spans.append(time.process_time() - start)
    return 1000 * median(spans)
