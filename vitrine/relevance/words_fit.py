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

LOST = 0.01
"""Share of the true matches that may be left out: half of what may be lost at all, since queries of
shoppers are further from the catalogue's words than its own."""

STRAY = 0.025
"""Share of the queries that words answer to which vectors may add something else."""

ABSENT_SHARE = 0.025
"""Share of the queries for what the catalogue lacks that may pass by a word that it knows: half of
the twentieth that may be answered at all, vectors have the other half."""


@dataclass(frozen=True, eq=False)
class WordsEvidence:
    """For one query: the products that truly match, bool (n,), all words scores, the best core
    score and the vectors' log-odds; arrays are float32 (n,), as there are many queries."""

    matches: NDArray[np.bool_]
    scores: NDArray[np.float32]
    best: float
    vectors: NDArray[np.float32]

    @property
    def true(self) -> NDArray[np.bool_]:
        """True matches that have a word of the query."""
        return self.matches & self._has_word

    @property
    def false(self) -> NDArray[np.bool_]:
        """Products that have a word of the query and are not meant."""
        return ~self.matches & self._has_word

    @property
    def _has_word(self) -> NDArray[np.bool_]:
        return (self.scores > 0) & (self.best > 0)


def fit_words(
    evidence: Sequence[WordsEvidence], absent_best: NDArray[np.float64], *, rng: np.random.Generator
) -> WordsModel | None:
    """The constants for words.

    `absent_best` is the best words score of each query for what the catalogue lacks.

    Learnt from products that match some word, for queries that have both true and false ones; None
    where no query has both, or where words tell nothing. Close begins where a match is as likely as
    not, or lower where true ones would be lost.
    """
    telling = [query for query in evidence if query.true.any() and query.false.any()]
    if not telling:
        return None
    (slope, vector), intercept = scaled_fit(*_rows(telling, rng))
    if slope <= 0:
        return None
    matched = [
        slope * query.scores[query.true] / query.best + vector * query.vectors[query.true]
        for query in evidence
    ]
    intercept = max(intercept, -float(np.quantile(np.concatenate(matched), LOST)))
    lucky = float(np.quantile(np.concatenate([query.vectors for query in evidence]), 0.95))
    needed = -(intercept + vector * lucky) / slope
    known = float(np.quantile(absent_best, 1 - ABSENT_SHARE)) if len(absent_best) else 0.0
    return WordsModel(
        slope=float(slope),
        vector=float(vector),
        intercept=intercept,
        floor=float(min(known / max(needed, 0.1), 1.0)),
        typical=float(np.median([np.median(query.scores[query.true]) for query in telling])),
        alone=max(float(np.quantile(_highest_false(evidence), 1 - STRAY)), 0.0),
    )


def _rows(
    evidence: Sequence[WordsEvidence], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Features (share of the best words score, vectors), labels and weights: each query counts
    alike."""
    features: list[NDArray[np.float64]] = []
    labels: list[NDArray[np.float64]] = []
    weights: list[NDArray[np.float64]] = []
    for query in evidence:
        for which, label in ((query.true, 1.0), (query.false, 0.0)):
            rows = drawn(which, NEGATIVES, rng)
            features.append(np.column_stack([query.scores[rows] / query.best, query.vectors[rows]]))
            labels.append(np.full(len(rows), label))
            weights.append(np.full(len(rows), 1 / len(rows)))
    return np.concatenate(features), np.concatenate(labels), np.concatenate(weights)


def _highest_false(evidence: Sequence[WordsEvidence]) -> list[float]:
    """For each query the log-odds of the vectors of the likeliest product that it does not mean."""
    return [
        float(query.vectors[~query.matches].max()) for query in evidence if not query.matches.all()
    ]
