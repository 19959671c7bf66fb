"""A model that reads each text within a template, as CLIP's makers word a label (Radford et al.
2021, section 3.1.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.embedding import Embedder
from vitrine.embedding.wrapped import WrappedEmbedder

__all__ = ["WordedEmbedder"]


class WordedEmbedder(WrappedEmbedder):
    """An `Embedder` whose texts stand where the template has {}."""

    def __init__(self, inner: Embedder, template: str) -> None:
        super().__init__(inner)
        self._template = template

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text within the template."""
        return self.inner.embed_texts([self._worded(text) for text in texts])

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self.inner.truncates(self._worded(text))

    def _worded(self, text: str) -> str:
        return self._template.replace("{}", text)
