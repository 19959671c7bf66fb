"""What the models can tell of one picture: similarity to texts, zero-shot classes, zero-shot
objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from vitrine.embedding import Detection, Detector, Embedder
from vitrine.errors import FieldError, InvalidQuery
from vitrine.filters import MATCH_ALL, Filter
from vitrine.images.decode import MARGIN
from vitrine.queries import SearchQuery
from vitrine.results import Page
from vitrine.search import SearchEngine
from vitrine.settings import LimitSettings
from vitrine.version_search import MAX_FACET_SEARCH

__all__ = [
    "DEFAULT_TEMPLATE",
    "DEFAULT_THRESHOLD",
    "Classified",
    "Recognition",
    "ShoppedObject",
    "Similarity",
]

DEFAULT_TEMPLATE = "a photo of a {}"
DEFAULT_THRESHOLD = 0.1
MOST_PRODUCTS = 500
"""Products that one picture's objects bring together."""
_CROPS_AT_ONCE = 8
"""Cut out and embedded together; each may be as large as the picture."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """The cosine of a picture and a text."""

    text: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Classified:
    """The share of a label in the softmax over all labels."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class ShoppedObject:
    """A detected object and, when asked for, the products that look like it."""

    object: Detection
    products: Page | None = None


class Recognition:
    """Similarity, classification and detection with the configured models.

    Safe to call from several threads.
    """

    def __init__(
        self,
        embedder: Callable[[], Embedder],
        detector: Callable[[], Detector],
        engine: SearchEngine,
        settings: LimitSettings,
    ) -> None:
        self._embedder = embedder
        self._detector = detector
        self._engine = engine
        self._settings = settings

    def similarity(self, image: Image, texts: Sequence[str]) -> list[Similarity]:
        """The cosine of the picture with each text, in the order of the texts."""
        self._check("texts", texts)
        embedder = self._embedder()
        cosines = embedder.embed_texts(texts) @ embedder.embed_images([image])[0]
        return [
            Similarity(text, float(cosine)) for text, cosine in zip(texts, cosines, strict=True)
        ]

    def classify(
        self, image: Image, labels: Sequence[str], templates: Sequence[str] = (DEFAULT_TEMPLATE,)
    ) -> list[Classified]:
        """The probability of each label, highest first: softmax over cosines at the model's own
        logit scale.

        Several templates are averaged as Radford et al. 2021 (section 3.1.4) do: the mean of the
        unit rows, scaled to unit length. Equal labels share their place but are each listed.
        """
        self._check("labels", labels)
        self._check_templates(templates)
        if len(labels) * len(templates) > self._settings.max_labels:
            raise InvalidQuery.of(
                "template",
                f"{len(templates)} templates for {len(labels)} labels are "
                f"{len(templates) * len(labels)} texts; at most {self._settings.max_labels} "
                "are allowed",
            )
        embedder = self._embedder()
        rows = _averaged(embedder, labels, templates)
        logits = embedder.info.logit_scale * (rows @ embedder.embed_images([image])[0]).astype(
            np.float64
        )
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        return [Classified(labels[i], float(shares[i])) for i in order]

    def detect(
        self, image: Image, labels: Sequence[str], *, threshold: float = DEFAULT_THRESHOLD
    ) -> list[Detection]:
        """The objects of those labels that score above the threshold, best first."""
        self._check("labels", labels)
        if not 0 <= threshold <= 1:
            raise InvalidQuery.of("threshold", "must be from 0 to 1")
        return self._detector().detect(image, labels, threshold=threshold)

    def category_labels(self, only: Filter = MATCH_ALL) -> list[str]:
        """Labels for `detect`: the last levels of the categories that products under a filter have.

        The most frequent first, as many as a facet lists; none in a catalogue without categories.
        """
        paths: list[str] = []
        if "category" in self._engine.schema:
            values, _ = self._engine.answer(
                lambda version: version.facet_values("category", "", only, limit=MAX_FACET_SEARCH)
            )
            paths = [str(value.value) for value in values]
        above = {path.rpartition("/")[0] for path in paths}
        labels = dict.fromkeys(path.rpartition("/")[2] for path in paths if path not in above)
        return list(labels)[: min(self._settings.facet_values, self._settings.max_labels)]

    def shop(
        self, image: Image, objects: Sequence[Detection], query: SearchQuery
    ) -> list[ShoppedObject]:
        """For each object the products that look like what is in its box.

        `query` brings filter and limit. Only the first objects have products, as many as make
        `MOST_PRODUCTS` with the limit of each.
        """
        side = self._embedder().info.image_size
        searched = objects[: max(1, MOST_PRODUCTS // query.limit)]
        pages: list[Page] = []
        for start in range(0, len(searched), _CROPS_AT_ONCE):
            part = searched[start : start + _CROPS_AT_ONCE]
            crops = [crop(image, detection.box, at_least=side) for detection in part]
            pages += self._engine.search_images(crops, query)
        shopped = [
            ShoppedObject(detection, page) for detection, page in zip(searched, pages, strict=True)
        ]
        return shopped + [ShoppedObject(detection) for detection in objects[len(searched) :]]

    def _check(self, field: str, texts: Sequence[str]) -> None:
        limits = self._settings
        faults = []
        if not texts:
            faults.append(FieldError(field, "must contain at least one"))
        if len(texts) > limits.max_labels:
            faults.append(
                FieldError(field, f"holds {len(texts)}, at most {limits.max_labels} are allowed")
            )
        if any(not text.strip() for text in texts):
            faults.append(FieldError(field, "holds an empty text"))
        if any(len(text) > limits.max_text_chars for text in texts):
            faults.append(
                FieldError(field, f"holds a text of more than {limits.max_text_chars} characters")
            )
        if faults:
            raise InvalidQuery(faults)

    def _check_templates(self, templates: Sequence[str]) -> None:
        self._check("template", templates)
        if any(template.count("{}") != 1 for template in templates):
            raise InvalidQuery.of(
                "template",
                f"must contain {{}} once, where the label goes, as in {DEFAULT_TEMPLATE!r}",
            )


def _averaged(
    embedder: Embedder, labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float32]:
    """One unit row per label, (labels, dimension)."""
    rows = embedder.embed_texts(
        [template.replace("{}", label) for template in templates for label in labels]
    )
    if len(templates) == 1:
        return rows
    mean = rows.reshape(len(templates), len(labels), -1).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)


def crop(
    image: Image, box: tuple[float, float, float, float], *, at_least: int | None = None
) -> Image:
    """The part of the picture inside the box, at least one pixel in size, clipped to the picture.

    Of a part much larger than a model's side `at_least` a copy is scaled down, as `decode` does.
    """
    left, top = (
        min(max(int(box[0]), 0), image.width - 1),
        min(max(int(box[1]), 0), image.height - 1),
    )
    right, bottom = (
        min(max(round(box[2]), left + 1), image.width),
        min(max(round(box[3]), top + 1), image.height),
    )
    factor = 1 if at_least is None else min(right - left, bottom - top) // (MARGIN * at_least)
    if factor > 1:
        return image.reduce(factor, box=(left, top, right, bottom))
    return image.crop((left, top, right, bottom))
