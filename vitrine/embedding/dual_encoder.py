"""The embedder: a checkpoint's rules for pictures and texts around a runtime's two forward
passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import Compute, ModelInfo
from vitrine.embedding.tokenizer import TokenBatch, Tokenizer
from vitrine.errors import ModelUnavailable

__all__ = ["DualEncoder", "DualEncoderModel"]

_TEXTS_AT_ONCE = 64  # bounds the memory of a request with a thousand labels

_T = TypeVar("_T")


class DualEncoderModel(Protocol):
    """A runtime's forward passes; rows come out as the model makes them, of any length.

    Safe from several threads.
    """

    @property
    def compute(self) -> Compute: ...

    def encode_levels(
        self, levels: NDArray[np.uint8], images: ImagePreprocessor
    ) -> NDArray[np.float32]:
        """(n, height, width, 3), normalized as `images` says, to (n, dimension)."""
        ...

    def encode_texts(self, tokens: TokenBatch) -> NDArray[np.float32]:
        """(n, length) to (n, dimension)."""
        ...


class DualEncoder:
    """An `Embedder` over any runtime.

    Of rows longer than `info.dimension` the leading components are kept.
    """

    def __init__(
        self,
        info: ModelInfo,
        images: ImagePreprocessor,
        tokenizer: Tokenizer,
        model: DualEncoderModel,
    ) -> None:
        self.info = info
        self.images = images
        self.tokenizer = tokenizer
        self.model = model

    @property
    def pictures(self) -> ImagePreprocessor:
        """How the model wants its pictures."""
        return self.images

    @property
    def compute(self) -> Compute:
        """Where the model runs, and how it computes."""
        return self.model.compute

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text."""
        return self._unit(
            [
                self.model.encode_texts(self.tokenizer.encode(part))
                for part in _parts(texts, _TEXTS_AT_ONCE)
            ]
        )

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """One unit row per picture."""
        return self.embed_pixels(self.preprocess(images))

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """What the model sees of the pictures, as levels."""
        return self.images.levels(images)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One unit row per picture that `preprocess` made."""
        return self._unit([self.model.encode_levels(pixels, self.images)] if len(pixels) else [])

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        return self.tokenizer.truncates(text)

    def _unit(self, parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        if not parts:
            return np.zeros((0, self.info.dimension), np.float32)
        rows = np.concatenate(parts)[:, : self.info.dimension]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.min() > 0):
            raise ModelUnavailable(
                f"the model {self.info.name} answered with a vector that has no direction; its "
                "weights or the chosen precision are unfit"
            )
        return np.asarray(rows / lengths, dtype=np.float32)


def _parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
