"""Stand-ins for the model, so that tests of everything else are quick.

Each says in its name that it is none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitrine.embedding import Compute, ModelInfo

COLORS = {
    "red": (220, 30, 30),
    "green": (30, 160, 60),
    "blue": (40, 70, 210),
    "yellow": (240, 210, 40),
    "black": (15, 15, 15),
    "white": (245, 245, 245),
}


def _direction(word: str, dimension: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    row = np.random.default_rng(seed).standard_normal(dimension)
    return row / np.linalg.norm(row)


@dataclass(frozen=True)
class FakeRules:
    """Pictures stretched to a square."""

    side: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def shorter_side(self) -> int:
        return self.side

    def levels(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        pixels = [np.asarray(image.convert("RGB").resize(self.shape)) for image in images]
        return np.stack(pixels) if pixels else np.zeros((0, *self.shape, 3), np.uint8)


class FakeEmbedder:
    """A deterministic stand-in for a dual encoder.

    A text is the sum of its words' fixed random directions. A picture is the direction of the color
    word nearest to its mean color plus a little of a direction of its own pixels, so "red" finds
    red pictures and equal pictures are equal. `name` goes into the fingerprint: two names are two
    models that do not understand each other.
    """

    def __init__(self, dimension: int = 64, name: str = "fake") -> None:
        self.info = ModelInfo(
            name, hashlib.sha256(f"{name}/{dimension}".encode()).hexdigest(), dimension, 20.0, 32
        )
        self.pictures = FakeRules(self.info.image_size)
        self.compute = Compute("cpu", "fp32")
        self.images_embedded = 0
        self.texts_embedded = 0
        self._counting = Lock()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._counting:
            self.texts_embedded += len(texts)
        return self._rows([self._text(text) for text in texts])

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        return self.embed_pixels(self.preprocess(images))

    def preprocess(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        return self.pictures.levels(images)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        with self._counting:
            self.images_embedded += len(pixels)
        return self._rows([self._picture(p) for p in pixels])

    def truncates(self, text: str) -> bool:
        return len(text.split()) > 75

    def _word(self, word: str) -> NDArray[np.float64]:
        return _direction(f"{self.info.name}:{word}", self.info.dimension)

    def _text(self, text: str) -> NDArray[np.float64]:
        words = re.findall(r"\w+", text.casefold()) or [""]
        total: NDArray[np.float64] = np.sum([self._word(w) for w in words], axis=0)
        return total

    def _picture(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        mean = pixels.mean(axis=(0, 1))
        nearest = min(COLORS, key=lambda c: float(np.abs(mean - COLORS[c]).sum()))
        return self._word(nearest) + 0.5 * self._word(hashlib.sha256(pixels.tobytes()).hexdigest())

    def _rows(self, rows: list[NDArray[np.float64]]) -> NDArray[np.float32]:
        if not rows:
            return np.zeros((0, self.info.dimension), np.float32)
        stacked = np.stack(rows)
        unit: NDArray[np.float64] = stacked / np.linalg.norm(stacked, axis=1, keepdims=True)
        return unit.astype(np.float32)
