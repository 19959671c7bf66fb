"""The highest core words score of any product of a version: what relevance measures against."""

from __future__ import annotations

from collections.abc import Sequence

from vitrine.index.qdrant.point import WORDS, Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.signals import sparse_query, words_scores
from vitrine.relevance import round_best_words
from vitrine.words import QueryWords

__all__ = ["BestWords"]

_ROUNDING = 2.0**-23
"""Twice float32's relative rounding error: a sum of n positive numbers is off by n times half of it
at most."""
_TIED = 1000
"""Points read at once where rounding could decide between those that tie."""


class BestWords:
    """Asks Qdrant for it: one search for one point, without a filter."""

    def __init__(self, points: Points) -> None:
        self._points = points

    @staticmethod
    def request(words: QueryWords) -> list[NearestQuery]:
        """The search, to be asked among others; none where no product can score."""
        row = sparse_query(words, words.core)
        return [] if row is None else [NearestQuery(row, None, limit=1, using=WORDS)]

    def of(self, words: QueryWords, best: Sequence[Point]) -> float:
        """The score, given what the search found.

        Relevance counts few of its digits (`round_best_words`), so that Qdrant's own sum is
        nearly always enough; where it is not, those that tie are read and added up in float64.
        """
        if not best:
            return 0.0
        score = best[0].score / words.best
        error = len(words.term_ids) * _ROUNDING * score
        if round_best_words(score - error) == round_best_words(score + error):
            return score
        return self._exact(words, best[0].score - 2 * error * words.best)

    def _exact(self, words: QueryWords, least: float) -> float:
        (request,) = self.request(words)
        limit = _TIED
        while True:
            query = NearestQuery(
                request.vector, None, limit=limit, least=least, with_vectors=(WORDS,), using=WORDS
            )
            points = self._points.nearest(query)
            if len(points) < limit:
                scores = words_scores(points, words, words.core)
                return float(scores.max(initial=0.0)) if len(scores) else 0.0
            limit *= 10
