"""Fits a `VectorModel`: which mix of cosines tells true matches from false ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.constants import VectorModel
from vitrine.relevance.cosines import Cosines
from vitrine.relevance.logistic import fit_logistic

__all__ = ["NEGATIVES", "ORDINARY_VECTORS", "drawn", "fit_vectors", "scaled_fit", "shifted"]

NEGATIVES = 200
"""Products that do not match, drawn for each query."""
POSITIVES = 50
"""Products that match, for each query at most."""
RIDGE = 1e-3
"""Penalty of the regression on features of unit deviation: keeps separable data finite."""

ORDINARY_VECTORS = VectorModel(picture=0.0, picture_z=1.0, text=0.0, text_z=0.5, intercept=-4.0)
"""For a catalogue that is too small to teach it: four deviations above the background are close."""

Floats = NDArray[np.float64]


def fit_vectors(
    cosines: Cosines,
    matches: Sequence[NDArray[np.bool_]],
    absent: Cosines | None,
    *,
    rng: np.random.Generator,
) -> VectorModel | None:
    """The weights that best separate matches (one row a query) from other products, and from all
    products for `absent` queries.

    The intercept is that of the regression; the caller moves it to where close begins (`shifted`).
    None where no query has both matches and others, and where no cosine tells them apart: with
    weights of 0 all products would be equally close.
    """
    parts: list[Floats] = []
    labels: list[Floats] = []
    weights: list[Floats] = []

    def add(features: Floats, label: float, weight: float) -> None:
        if len(features):
            parts.append(features)
            labels.append(np.full(len(features), label))
            weights.append(np.full(len(features), weight / len(features)))

    if not any(matched.any() and not matched.all() for matched in matches):
        return None
    for query, matched in enumerate(matches):
        add(cosines.features(query, drawn(matched, POSITIVES, rng)), 1.0, 1.0)
        add(cosines.features(query, drawn(~matched, NEGATIVES, rng)), 0.0, 0.5)
    if absent is not None:
        everything = np.ones(len(absent.pictures), dtype=bool)
        share = 0.5 * len(matches) / len(absent.queries)
        for query in range(len(absent.queries)):
            add(absent.features(query, drawn(everything, NEGATIVES, rng)), 0.0, share)
    coefficients, intercept = scaled_fit(
        np.concatenate(parts), np.concatenate(labels), np.concatenate(weights)
    )
    if not coefficients.any():
        return None
    picture, picture_z, text, text_z = coefficients.tolist()
    return VectorModel(picture, picture_z, text, text_z, intercept)


def drawn(which: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """At most `count` of the products that are marked, at random."""
    rows = np.flatnonzero(which)
    return rows if len(rows) <= count else rng.permutation(rows)[:count]


def scaled_fit(features: Floats, labels: Floats, weights: Floats) -> tuple[Floats, float]:
    """`fit_logistic` on features of unit deviation, its coefficients for the features as they
    are."""
    deviation = features.std(axis=0)
    deviation[deviation == 0] = 1.0
    coefficients, intercept = fit_logistic(
        features / deviation, labels, weights=weights, ridge=RIDGE
    )
    return coefficients / deviation, intercept


def shifted(model: VectorModel, close_from: float) -> VectorModel:
    """The same model with its log-odds moved so that they are 0 where they were `close_from`."""
    return replace(model, intercept=model.intercept - close_from)
