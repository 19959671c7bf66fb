"""Zero-shot detection with OWL-ViT and OWLv2: one look at the picture, then every label is
compared with every place in it.

The model gives each patch a class vector c, a shift, a scale and a box; a label with text vector t
has there the score sigmoid((c.t + shift) * scale) with c and t of unit length (Minderer et al.
2022, "Simple Open-Vocabulary Object Detection", and transformers' OwlViTClassPredictionHead).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import Detection
from vitrine.embedding.tokenizer import TokenBatch, Tokenizer

__all__ = ["DetectorModel", "DetectorOutput", "OwlDetector", "best_detections"]

MOST_OBJECTS = 100
"""Objects told of one picture; at a threshold of 0 every place is one, for every label."""
_LABELS_AT_ONCE = 64
_Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class DetectorOutput:
    """What the model saw at each of p places: class vectors (p, d), shift (p,), scale (p,), boxes
    (p, 4) as center x, center y, width and height relative to the picture's sides."""

    classes: _Array
    shift: _Array
    scale: _Array
    boxes: _Array


class DetectorModel(Protocol):
    """A runtime's forward passes of a detector; vectors come out of unit length.

    Safe from several threads.
    """

    def forward(self, pixels: _Array) -> DetectorOutput:
        """(1, 3, height, width) to the output."""
        ...

    def encode_texts(self, tokens: TokenBatch) -> _Array:
        """(n, length) to (n, d)."""
        ...


class OwlDetector:
    """A `Detector` over any runtime."""

    def __init__(
        self, name: str, images: ImagePreprocessor, tokenizer: Tokenizer, model: DetectorModel
    ) -> None:
        self.name = name
        self.images = images
        self.tokenizer = tokenizer
        self.model = model

    def detect(self, image: Image, labels: Sequence[str], *, threshold: float) -> list[Detection]:
        """The objects that score above the threshold, best first, at most `MOST_OBJECTS`.

        A label given twice counts once.
        """
        output = self.model.forward(self.images.apply([image]))
        whole = image.size
        if self.images.inside is not None:  # boxes are relative to the square around the picture
            whole = (max(whole), max(whole))
        corners = _corners(output.boxes, whole)
        names = list(dict.fromkeys(labels))
        best: list[Detection] = []
        for start in range(0, len(names), _LABELS_AT_ONCE):
            part = names[start : start + _LABELS_AT_ONCE]
            best = best_detections(best, self._scores(output, part), part, corners, threshold)
        return best

    def _scores(self, output: DetectorOutput, labels: Sequence[str]) -> _Array:
        """(places, labels) scores from 0 to 1."""
        tokens = self.tokenizer.encode(labels)
        logits = (
            output.classes @ self.model.encode_texts(tokens).T + output.shift[:, None]
        ) * output.scale[:, None]
        scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
        scores[:, tokens.ids[:, 0] == 0] = (
            0  # the model takes a label whose first token is 0 for padding
        )
        return scores.astype(np.float32)


def _detections(
    scores: _Array, labels: Sequence[str], corners: _Array, threshold: float
) -> list[Detection]:
    """The best `MOST_OBJECTS` that score above the threshold, of (places, labels) scores."""
    flat = scores.T.ravel()
    above = np.flatnonzero(flat > threshold)
    above = above[np.argsort(-flat[above], kind="stable")[:MOST_OBJECTS]]
    detections = []
    for at in above:
        label, place = divmod(int(at), len(corners))
        left, top, right, bottom = (float(edge) for edge in corners[place])
        detections.append(Detection(labels[label], float(flat[at]), (left, top, right, bottom)))
    return detections


def best_detections(
    before: list[Detection],
    scores: _Array,
    labels: Sequence[str],
    corners: _Array,
    threshold: float,
) -> list[Detection]:
    """The best `MOST_OBJECTS` of those before and of these (places, labels) scores."""
    return _best([*before, *_detections(scores, labels, corners, threshold)])


def _best(detections: list[Detection]) -> list[Detection]:
    return sorted(detections, key=lambda each: -each.score)[:MOST_OBJECTS]


def _corners(boxes: _Array, size: tuple[int, int]) -> _Array:
    """Boxes as (xmin, ymin, xmax, ymax) in pixels: the picture was stretched to the model's
    square, so each side has its own scale."""
    center, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([center - half, center + half], axis=1) * np.array(
        [*size, *size], np.float32
    )
