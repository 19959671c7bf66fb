"""The port of the embedding room: pictures and texts become unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

__all__ = [
    "PREPARATION",
    "Compute",
    "Detection",
    "Detector",
    "Embedder",
    "ModelInfo",
    "PictureRules",
]

PREPARATION = 3
"""Part of every fingerprint; raise it when Vitrine's own preprocessing changes the vectors."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model this is.

    `fingerprint` covers weights, preprocessing, tokenizer and dimension; vectors of different
    fingerprints never meet.
    """

    name: str
    fingerprint: str
    dimension: int
    logit_scale: float
    """The factor of the model's own softmax over cosines (already exponentiated)."""
    image_size: int
    """Pixels of the shorter side that the model looks at.

    Pictures may be decoded smaller than they are, but not below it.
    """


class PictureRules(Protocol):
    """How a model wants its pictures; a plain value, which other processes may be sent."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the model sees."""
        ...

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side below which no picture is to be decoded."""
        ...

    def levels(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """RGB pictures as `Embedder.preprocess` gives them, (n, height, width, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class Compute:
    """Where a model runs (`cpu`, `cuda`, `cuda:1`, `mps`) and its arithmetic (`fp32`, `bf16`,
    `int8`)."""

    device: str
    precision: str
    text_graphs: bool = False
    """Whether texts are embedded as CUDA graphs, which have proved to give the same vectors."""

    def describe(self) -> str:
        """In words."""
        where = f"{self.device} in {self.precision}"
        if not self.device.startswith("cuda"):
            return where
        return f"{where}, texts {'as' if self.text_graphs else 'without'} CUDA graphs"


class Embedder(Protocol):
    """A dual encoder.

    Rows are float32 of unit length and (n, dimension) in shape; an empty list gives (0, dimension).

    Safe to call from several threads. Errors: `ModelUnavailable` only when it is loaded.
    """

    @property
    def info(self) -> ModelInfo: ...

    @property
    def pictures(self) -> PictureRules: ...

    @property
    def compute(self) -> Compute: ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text; a text longer than the model reads is cut (see `truncates`)."""
        ...

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """One row per RGB picture: `embed_pixels(preprocess(images))`."""
        ...

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """What the model looks at, (n, height, width, 3): levels, normalized by `embed_pixels`.

        May run in any thread beside `embed_pixels`.
        """
        ...

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The forward pass alone, for pipelines that overlap the stages."""
        ...

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        ...


@dataclass(frozen=True, slots=True)
class Detection:
    """An object found in a picture.

    The box is in pixels of the picture that was given, (xmin, ymin, xmax, ymax).
    """

    label: str
    score: float
    box: tuple[float, float, float, float]


class Detector(Protocol):
    """A zero-shot detector (OWL-ViT)."""

    @property
    def name(self) -> str: ...

    def detect(self, image: Image, labels: Sequence[str], *, threshold: float) -> list[Detection]:
        """The objects that score above the threshold, best first. The image is upright RGB."""
        ...
