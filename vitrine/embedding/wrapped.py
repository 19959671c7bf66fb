"""An embedder around another one: what a wrapper does not change is the model's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding.ports import Compute, Embedder, ModelInfo, PictureRules

__all__ = ["WrappedEmbedder"]


class WrappedEmbedder:
    """An `Embedder` that hands every call on to `inner`; subclasses change some."""

    def __init__(self, inner: Embedder) -> None:
        self.inner = inner

    @property
    def info(self) -> ModelInfo:
        """The model's info."""
        return self.inner.info

    @property
    def pictures(self) -> PictureRules:
        """How the model wants its pictures."""
        return self.inner.pictures

    @property
    def compute(self) -> Compute:
        """Where the model runs, and how it computes."""
        return self.inner.compute

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        return self.inner.embed_texts(texts)

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """One row per picture."""
        return self.inner.embed_images(images)

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """What the model looks at."""
        return self.inner.preprocess(images)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The forward pass."""
        return self.inner.embed_pixels(pixels)

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self.inner.truncates(text)
