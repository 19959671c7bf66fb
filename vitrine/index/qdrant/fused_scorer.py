"""The exact values of products by words and vectors, and the reads that these take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.index.qdrant.payload import ID, KEYS, SEQ
from vitrine.index.qdrant.point import WORDS, Point
from vitrine.index.qdrant.pool import Pool
from vitrine.index.qdrant.queries import Read, Vectors
from vitrine.index.qdrant.rescoring import Candidate, Rescorer
from vitrine.index.qdrant.signals import exact_signals, words_scores
from vitrine.relevance import LOG_ODDS_DECIMALS, Signals, relevance_of

__all__ = ["FusedScorer"]

_FEW = 128
"""Candidates that are read whole though their words would do: they may be on the page."""

ReadEach = Callable[[Sequence[Read]], list[dict[str, Point]]]


class FusedScorer(Rescorer):
    """Values products exactly, from their vectors and words.

    `payloads` holds what was read of members of the set for orders, groups and facets.
    """

    decimals = LOG_ODDS_DECIMALS

    def __init__(
        self, query: IndexQuery, fusion: Fusion, pool: Pool, read: ReadEach, vectors: Vectors
    ) -> None:
        """`vectors` are all that decide; `read` leaves out what was written since the lists were
        read."""
        super().__init__(lambda ids: read([Read(list(ids), True, vectors)])[0])
        self.tolerance = pool.values.tolerance
        self.payloads: dict[str, Mapping[str, Any]] = {}
        self._query = query
        self._fusion = fusion
        self._pool = pool
        self._read = read
        self._vectors = vectors
        self._words: dict[str, Point] = {}
        # what negatives say of a product depends on its vectors
        self._few = sys.maxsize if fusion.negatives else _FEW
        values = pool.values
        self._by_words = {
            i for i, alone in zip(values.ids, values.by_words.tolist(), strict=True) if alone
        }

    def by_words(self, candidate: Candidate) -> bool:
        """Whether the words of a candidate alone make its value."""
        return candidate.point.id in self._by_words

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Read what is missing to value these exactly; where words decide for many, only words."""
        self.load_with_payloads(candidates, (), ())

    def load_with_payloads(
        self, candidates: Iterable[Candidate], members: Iterable[Candidate], keys: Sequence[str]
    ) -> None:
        """Read in one request what is missing to value the candidates, and the `keys` of the
        members' payloads."""
        whole, worded = self._missing(candidates)
        without = [c.point.id for c in members if c.point.id not in self.payloads] if keys else []
        reads = [
            Read(whole, True, self._vectors),
            Read(worded, (ID, SEQ), (WORDS,)),
            Read(without, (ID, SEQ, *keys)),
        ]
        points, words, payloads = self._read(reads)
        self.points |= points
        self._words |= words
        self.payloads |= {i: point.payload for i, point in payloads.items()}
        for read, answer in zip(reads, (points, words, payloads), strict=True):
            self.gone |= set(read.ids) - answer.keys()

    def rescore(self, candidates: Iterable[Candidate]) -> None:
        """Make the values of these exact, from their words where no more was read."""
        pending = [c for c in candidates if not c.rescored]
        self.load(pending)
        self._rescore_by_words(
            [c for c in pending if c.point.id in self._words and c.point.id not in self.points]
        )
        super().rescore(pending)

    def rescore_whole(self, candidates: Iterable[Candidate]) -> None:
        """Rescore these, and read all that a hit shows of them."""
        listed = list(candidates)
        super().load(listed)
        for candidate in listed:
            # the nearest picture of those that were valued by their words is not known
            candidate.rescored = candidate.rescored and candidate.point.id not in self._by_words
        super().rescore(listed)

    def _missing(self, candidates: Iterable[Candidate]) -> tuple[list[str], list[str]]:
        """The points that are to be read whole, and those of which the words are enough."""
        known = self.points.keys() | self._words.keys() | self.gone
        missing = {c.point.id: c for c in candidates if c.point.id not in known}
        worded = [i for i, c in missing.items() if self.by_words(c) and not c.rescored]
        if len(worded) <= self._few:
            worded = []
        enough = frozenset(worded)
        return [i for i in missing if i not in enough], worded

    def _rescore_by_words(self, candidates: Sequence[Candidate]) -> None:
        points = [self._words[c.point.id] for c in candidates]
        words = self._fusion.words
        scores = words_scores(points, words, words.weights)
        named = [self._pool.first.is_named(point.id) for point in points]
        # cosines change nothing, so the least ones will do
        values = self._pool.relevance.log_odds(Signals(-1.0, -1.0, words=scores, exact=named))
        for candidate, point, value in zip(candidates, points, values.tolist(), strict=True):
            self.assign_score(candidate, value, None)
            candidate.id = str(point.payload[ID])

    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The exact order values of points, and their nearest pictures."""
        named = [self._pool.first.is_named(point.id) for point in points]
        signals, images = exact_signals(points, self._query.vector, self._fusion.words, named)
        values = self._pool.relevance.log_odds(signals).tolist()
        return list(zip(values, images, strict=True))

    def shown(self, score: float) -> float:
        """The relevance of an order value."""
        return float(relevance_of(np.asarray(score)))

    def unwanted(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """How relevant the points are for each negative alone, float64 (negatives, points)."""
        rows = []
        for negative, best in zip(
            self._fusion.negatives, self._pool.first.best_words[1:], strict=True
        ):
            key = negative.words.exact_key
            named = [key != "" and key in point.payload.get(KEYS, ()) for point in points]
            relevance = self._fusion.negative_relevance(negative, best)
            signals, _ = exact_signals(points, negative.vector, negative.words, named)
            rows.append(relevance.relevance(signals))
        return np.stack(rows)
