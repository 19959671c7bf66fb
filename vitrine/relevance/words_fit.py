"""Fits the `WordsModel`: which words scores are those of true matches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.relevance.constants import WordsModel
from vitrine.relevance.vector_fit import NEGATIVES, drawn, scaled_fit

__all__ = ["ABSENT_SHARE", "ORDINARY_WORDS", "WordsEvidence", "fit_words"]

ORDINARY_WORDS = WordsModel(slope=16.0, vector=0.3, intercept=-10.0, floor=0.5, typical=0.85)
"""What learning finds on ordinary catalogues (rounded), for one that is too small to teach it."""

LOST = 0.005
"""Share of the true matches that the cutoff may leave out: a quarter of the 2 % that may be lost,
since shoppers' queries differ more from the catalogue's words than its own do."""

MARGIN = 0.05
"""Share by which close begins below the lowest true match that is kept: many products match alike,
and rounding must not separate them."""

STRAY = 0.025
"""Share of the queries with results by words to which vectors may add a product that is not meant.
"""

ABSENT_SHARE = 0.025
"""Share of each kind of query for what the catalogue lacks that may have results because of a word
it knows: half of the one in twenty that may have results at all, the other half is for vectors."""


@dataclass(frozen=True, eq=False)
class WordsEvidence:
    """For one query: the products that truly match, bool (n,), all words scores, float32 (n,), the
    best core score, the log-odds of the vectors and of looks, float32 (n,), and the level of the
    latter."""

    matches: NDArray[np.bool_]
    scores: NDArray[np.float32]
    best: float
    vectors: NDArray[np.float32]
    looks: NDArray[np.float32]
    level: float

    @property
    def above(self) -> NDArray[np.float32]:
        """The log-odds of looks above the query's level, float32 (n,), 0 for those below it."""
        above: NDArray[np.float32] = np.maximum(self.looks - np.float32(self.level), 0)
        return above

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
    evidence: Iterable[WordsEvidence],
    absent_best: Sequence[NDArray[np.float64]],
    *,
    rng: np.random.Generator,
) -> WordsModel | None:
    """The constants for words.

    `absent_best` are, for each kind of query for what the catalogue lacks, their best words scores.

    Learnt from products that match some word, for queries that have both true and false ones; None
    where no query has both, or where words tell nothing. Close begins where a match is as likely as
    not, or lower where true ones would be lost.
    """
    rows = _Rows(rng)
    for query in evidence:
        rows.add(query)
    if not rows.words_tell:
        return None
    (slope, vector), intercept = rows.fit()
    if slope <= 0:
        return None
    matched = [slope * scores / best + vector * odds for scores, best, odds in rows.matched]
    lowest = (1 - MARGIN) * float(np.quantile(np.concatenate(matched), LOST))
    intercept = max(intercept, -lowest)
    needed = -(intercept + vector * rows.lucky()) / slope
    known = max(
        (float(np.quantile(b, 1 - ABSENT_SHARE)) for b in absent_best if len(b)), default=0.0
    )
    return WordsModel(
        slope=float(slope),
        vector=float(vector),
        intercept=intercept,
        floor=float(min(known / max(needed, 0.1), 1.0)),
        typical=float(np.median(rows.typical)),
        alone=max(float(np.quantile(rows.highest_false, 1 - STRAY)), 0.0),
    )


class _Rows:
    """What is kept of the evidence, which is read once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._features: list[NDArray[np.float32]] = []
        self._labels: list[NDArray[np.float64]] = []
        self._weights: list[NDArray[np.float64]] = []
        self._above: list[NDArray[np.float32]] = []
        self._not_above = 0
        self.matched: list[tuple[NDArray[np.float32], float, NDArray[np.float32]]] = []
        """Of each query the words scores of the true matches, the best one, their looks."""
        self.typical: list[float] = []
        """The middle words score of the true matches, of queries that have true and false ones."""
        self.highest_false: list[float] = []
        """Of each query the vectors of the likeliest product that it does not mean."""
        self.words_tell = False
        """Whether words tell some query's products apart, true or false."""

    def add(self, query: WordsEvidence) -> None:
        true, false = query.true, query.false
        self.matched.append((query.scores[true], query.best, query.above[true]))
        above = query.above
        self._above.append(above[above > 0])  # one product in ten: all would take much memory
        self._not_above += len(above) - len(self._above[-1])
        if not query.matches.all():
            self.highest_false.append(float(query.vectors[~query.matches].max()))
        if not (true.any() and false.any()):
            return
        self.words_tell |= bool(np.ptp(query.scores[true | false]) > 0)
        self.typical.append(float(np.median(query.scores[true])))
        for which, label in ((true, 1.0), (false, 0.0)):
            rows = drawn(which, NEGATIVES, self._rng)
            features = [query.scores[rows] / query.best, query.above[rows]]
            self._features.append(np.column_stack(features))
            self._labels.append(np.full(len(rows), label))
            self._weights.append(np.full(len(rows), 1 / len(rows)))

    def fit(self) -> tuple[NDArray[np.float64], float]:
        """Weights of words and looks, and the intercept; each query counts alike."""
        return scaled_fit(
            np.concatenate(self._features),
            np.concatenate(self._labels),
            np.concatenate(self._weights),
        )

    def lucky(self) -> float:
        """How far above the level the looks of one product in twenty are, over all queries: the
        quantile that numpy interpolates between two values."""
        above = np.concatenate(self._above)
        place = 0.95 * (len(above) + self._not_above - 1) - self._not_above
        low = math.floor(place)
        if low < -1 or not len(above):
            return 0.0
        above.partition([max(low, 0), min(low + 1, len(above) - 1)])
        first = float(above[low]) if low >= 0 else 0.0
        second = float(above[min(low + 1, len(above) - 1)])
        return first + (place - low) * (second - first)
