"""Fits the `WordsModel`: which words scores are those of true matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.constants import WordsModel
from vitrine.relevance.vector_fit import NEGATIVES, drawn, scaled_fit

__all__ = ["ORDINARY_WORDS", "WordsEvidence", "fit_words"]

ORDINARY_WORDS = WordsModel(slope=16.0, vector=0.3, intercept=-10.0, floor=0.5, typical=0.85)
"""What learning finds on ordinary catalogues (rounded), for one that is too small to teach it."""

ABSENT_SHARE = 0.025
"""Share of the queries for what the catalogue lacks that may pass by a word that it knows: half of
the twentieth that may be answered at all, vectors have the other half."""


@dataclass(frozen=True, eq=False)
class WordsEvidence:
    """For one query: the products that truly match, bool (n,), all words scores, the best core score
    and the vectors' log-odds; arrays are float64 (n,)."""

    matches: NDArray[np.bool_]
    scores: NDArray[np.float64]
    best: float
    vectors: NDArray[np.float64]


def fit_words(
    evidence: Sequence[WordsEvidence], absent_best: NDArray[np.float64], *, rng: np.random.Generator
) -> WordsModel | None:
    """The constants for words; `absent_best` is the best words score of each query for what the catalogue lacks.

    Learnt from products that match some word, for queries that have both true and false ones; None
    where no query has both, or where words tell nothing.
    """
    features: list[NDArray[np.float64]] = []
    labels: list[NDArray[np.float64]] = []
    weights: list[NDArray[np.float64]] = []
    typical: list[float] = []
    for one in evidence:
        true, false = one.matches & (one.scores > 0), ~one.matches & (one.scores > 0)
        if not (true.any() and false.any() and one.best > 0):
            continue
        typical.append(float(np.median(one.scores[true])))
        for which, label in ((true, 1.0), (false, 0.0)):
            rows = drawn(which, NEGATIVES, rng)
            features.append(np.column_stack([one.scores[rows] / one.best, one.vectors[rows]]))
            labels.append(np.full(len(rows), label))
            weights.append(np.full(len(rows), 1 / len(rows)))
    if not features:
        return None
    (slope, vector), intercept = scaled_fit(
        np.concatenate(features), np.concatenate(labels), np.concatenate(weights)
    )
    if slope <= 0:
        return None
    lucky = float(np.quantile(np.concatenate([one.vectors for one in evidence]), 0.95))
    needed = -(intercept + vector * lucky) / slope
    known = float(np.quantile(absent_best, 1 - ABSENT_SHARE)) if len(absent_best) else 0.0
    return WordsModel(
        slope=float(slope),
        vector=float(vector),
        intercept=intercept,
        floor=float(min(known / max(needed, 0.1), 1.0)),
        typical=float(np.median(typical)),
    )
