"""A model that reads each text within a template, as CLIP's makers word a label (Radford et al.
2021, section 3.1.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding import Embedder, ModelInfo
from vitrine.embedding.ports import Compute, PictureRules

__all__ = ["WordedEmbedder"]


class WordedEmbedder:
    """An `Embedder` whose texts stand where the template has {}."""

    def __init__(self, inner: Embedder, template: str) -> None:
        self.inner = inner
        self._template = template

    @property
    def info(self) -> ModelInfo:
        """As the model's own."""
        return self.inner.info

    @property
    def pictures(self) -> PictureRules:
        """As the model's own."""
        return self.inner.pictures

    @property
    def compute(self) -> Compute:
        """As the model's own."""
        return self.inner.compute

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text within the template."""
        return self.inner.embed_texts([self._template.replace("{}", text) for text in texts])

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """As the model's own."""
        return self.inner.embed_images(images)

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """As the model's own."""
        return self.inner.preprocess(images)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the model's own."""
        return self.inner.embed_pixels(pixels)

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self.inner.truncates(self._template.replace("{}", text))
