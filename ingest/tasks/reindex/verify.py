"""What a new version must show before it goes live."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from vitrine.embedding import Embedder
from vitrine.errors import VitrineError
from vitrine.evaluation import Judgement, Scores, evaluate, read_judgements
from vitrine.images.decode import ImageLimits, decode
from vitrine.index import IndexQuery, VectorIndex
from vitrine.products import Record, Vector
from vitrine.search import SearchEngine
from vitrine.serving import LiveIndex, Serving
from vitrine.wiring import Vitrine

__all__ = ["NotVerified", "check_count", "judged_queries", "verify"]

_SAME = 0.99
"""Cosine from which two pictures count as one: variants may show the very same picture."""

_NEAREST = 10


class NotVerified(VitrineError):
    """The new version is not as good as it must be; the text says in what."""


def check_count(target: VectorIndex, live: VectorIndex) -> None:
    """The new version has as many products as the live one, neither lost nor revived."""
    copied, live_count = target.count(), live.count()
    if copied != live_count:
        raise NotVerified(
            f"the new version has {copied} products, the live one {live_count}; `vitrine failures`"
            " lists products whose picture cannot be embedded. Fix or delete them, or reindex"
            " without verification"
        )


def verify(
    vitrine: Vitrine,
    target: VectorIndex,
    live: VectorIndex | None,
    *,
    seed: str,
    check: Callable[[], None],
) -> None:
    """A sample is retrieved by itself and, with judgements, nDCG is no lower than that of `live`.

    `NotVerified` otherwise.
    """
    if target.count() == 0:
        raise NotVerified("the new version is empty")
    embedder = vitrine.embedders.for_index(target)
    sample = _sample(target, vitrine.settings.verify_sample, random.Random(seed), check)
    lost = [
        record.product.id
        for record in sample
        if not _is_found(vitrine, target, embedder, record, check)
    ]
    if lost:
        raise NotVerified(
            f"{len(lost)} of {len(sample)} sampled products are not found by their own picture,"
            f" such as {lost[0]!r}"
        )
    if vitrine.settings.judgements and live is not None:
        _compare(vitrine, target, live, check)


def _sample(
    target: VectorIndex, size: int, chance: random.Random, check: Callable[[], None]
) -> list[Record]:
    """A fair sample (reservoir); every vector is checked in passing."""
    sample: list[Record] = []
    for number, record in enumerate(_sound(target, check)):
        if len(sample) < size:
            sample.append(record)
        elif (place := chance.randrange(number + 1)) < size:
            sample[place] = record
    return sample


def _sound(target: VectorIndex, check: Callable[[], None]) -> Iterator[Record]:
    for records in target.scan(batch=1000):
        check()
        for record in records:
            text = [] if record.text_vector is None else [record.text_vector]
            norms = np.linalg.norm(np.stack([*record.vectors, *text]), axis=1)
            if not np.all(np.abs(norms - 1) < 1e-2):  # also true of nan
                raise NotVerified(
                    f"the vector of product {record.product.id!r} is not of unit length"
                )
            yield record


def _is_found(
    vitrine: Vitrine,
    target: VectorIndex,
    embedder: Embedder,
    record: Record,
    check: Callable[[], None],
) -> bool:
    """Whether each picture of a product finds it."""
    check()
    limits, side = ImageLimits.of(vitrine.settings), embedder.info.image_size
    images = [decode(vitrine.images.get(key), limits, at_least=side) for key in record.image_keys]
    vectors = embedder.embed_images(images)
    return all(_finds(target, vector, record, n) for n, vector in enumerate(vectors))


def _finds(target: VectorIndex, vector: Vector, record: Record, number: int) -> bool:
    """Whether the vector of a picture finds the product by that picture, or only its equals."""
    hits = target.search(IndexQuery(vector=vector, candidates=100, limit=_NEAREST)).hits
    scores = [hit.score or 0.0 for hit in hits]
    if len(scores) == _NEAREST and min(scores) > _SAME:
        return True
    own = next((hit for hit in hits if hit.product.id == record.product.id), None)
    if own is None or own.matched_image is None:
        return False
    alike = float(record.vectors[number] @ record.vectors[own.matched_image])
    return own.matched_image == number or alike > _SAME


class _Fixed(LiveIndex):
    """Serves one version, whichever is live."""

    def __init__(self, serving: Serving) -> None:
        self._only = serving

    def current(self) -> Serving:
        return self._only

    def of(self, version: str) -> Serving:
        return self._only


def judged_queries(vitrine: Vitrine) -> list[Judgement]:
    """The queries that versions are compared by; `InvalidInput` where their file is unreadable."""
    file = vitrine.settings.judgements
    return read_judgements(Path(file)) if file else []


def _compare(
    vitrine: Vitrine, target: VectorIndex, live: VectorIndex, check: Callable[[], None]
) -> None:
    old, new = (_scores(vitrine, index, check).values["nDCG@10"] for index in (live, target))
    if new < old - vitrine.settings.max_ndcg_drop:
        allowed = f"; VITRINE_MAX_NDCG_DROP allows {vitrine.settings.max_ndcg_drop:g}"
        raise NotVerified(
            f"nDCG@10 on {vitrine.settings.judgements} fell from {old:.4f} to {new:.4f}{allowed}"
        )


def _scores(vitrine: Vitrine, index: VectorIndex, check: Callable[[], None]) -> Scores:
    engine = SearchEngine(
        _Fixed(Serving(index, vitrine.embedders.for_index(index))), vitrine.settings
    )
    limits = ImageLimits.of(vitrine.settings)
    return evaluate(
        engine.search,
        judged_queries(vitrine),
        open_image=lambda path: decode(path.read_bytes(), limits),
        k=_NEAREST,
        progress=lambda _: check(),
    )
