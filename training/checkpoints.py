"""A checkpoint folder, loaded as any transformers dual encoder is, for measuring it."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm
from transformers import AutoModel, AutoProcessor

__all__ = ["Encoder", "Rows"]

Rows = NDArray[np.float32]
"""Unit vectors, one to a row."""

_BATCH = 64


class Encoder:
    """Embeds pictures and texts with a checkpoint."""

    def __init__(self, folder: Path) -> None:
        """Loads the folder, nothing from a network. OSError where it holds no checkpoint."""
        self.model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self.processor = AutoProcessor.from_pretrained(folder, local_files_only=True)

    def images(self, pictures: Iterator[Image.Image], total: int) -> Rows:
        """Returns the unit vectors of `total` pictures, read from the iterator as they are
        needed."""
        rows = []
        bar = tqdm(total=total, unit="image", desc="embed", mininterval=5)
        while batch := list(islice(pictures, _BATCH)):
            pixels = self.processor.image_processor(images=batch, return_tensors="pt")[
                "pixel_values"
            ]
            with torch.inference_mode():
                rows.append(_unit(self.model.get_image_features(pixel_values=pixels).pooler_output))
            bar.update(len(batch))
        bar.close()
        return np.concatenate(rows)

    def texts(self, texts: Sequence[str]) -> Rows:
        """Returns the unit vectors of the texts; what is longer than the model reads is cut."""
        rows = []
        for start in range(0, len(texts), _BATCH):
            tokens = self.processor.tokenizer(
                list(texts[start : start + _BATCH]),
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                rows.append(_unit(self.model.get_text_features(**tokens).pooler_output))
        return np.concatenate(rows)


def _unit(vectors: torch.Tensor) -> Rows:
    rows: Rows = torch.nn.functional.normalize(vectors.float(), dim=1).numpy()
    return rows
