"""Search by words and vectors together: the same set, order and numbers as every other backend.

`pool` finds all that may belong to the set, valued by Qdrant's scores. Wherever these cannot decide
(who is close enough, who is in the set, who comes first on the page) the values are computed again
in float64 from the vectors and words of the few products in question, as `ranking` does for
cosines. Negatives re-order a whole set, so there all of its products are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexAnswer, IndexQuery
from vitrine.index.qdrant.candidates import CandidateSearch, CandidateSet
from vitrine.index.qdrant.payload import ID, KEYS, SEQ
from vitrine.index.qdrant.points import Points, Vectors
from vitrine.index.qdrant.pool import Pool, PoolSearch
from vitrine.index.qdrant.ranking import Candidate, Fetch, Rescorer, likely_needed, trim
from vitrine.index.qdrant.signals import exact_signals, words_scores
from vitrine.index.qdrant.wire import WORDS, Point
from vitrine.queries import RELEVANCE
from vitrine.relevance import LOG_ODDS_DECIMALS, Signals, drop, pushed_log_odds, relevance_of

__all__ = ["FusedSearch"]

_FEW = 128
"""Candidates that are read whole though their words would do: they may be on the page."""


class FusedScorer(Rescorer):
    """Values products exactly, from their vectors and words."""

    decimals = LOG_ODDS_DECIMALS

    def __init__(
        self,
        query: IndexQuery,
        fusion: Fusion,
        pool: Pool,
        fetch: Fetch,
        fetch_words: Fetch,
    ) -> None:
        """`fetch_words` reads of points no more than their ids and words."""
        super().__init__(fetch)
        self.tolerance = pool.values.tolerance
        self._query = query
        self._fusion = fusion
        self._pool = pool
        self._fetch_words = fetch_words
        values = pool.values
        self._by_words = {
            i for i, alone in zip(values.ids, values.by_words.tolist(), strict=True) if alone
        }

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Read what is missing of these, but not the many whose words are enough to value them."""
        listed = list(candidates)
        worded = {c.point.id for c in self._many_by_words(listed)}
        super().load(c for c in listed if c.point.id not in worded)

    def rescore(self, candidates: Iterable[Candidate]) -> None:
        """Make the values of these exact, from their words where these are enough."""
        pending = [c for c in candidates if not c.rescored]
        self._rescore_by_words(self._many_by_words(pending))
        super().rescore(pending)

    def rescore_whole(self, candidates: Iterable[Candidate]) -> None:
        """Rescore these, and read all that a hit shows of them."""
        listed = list(candidates)
        super().load(listed)
        for candidate in listed:
            # the nearest picture of those that were valued by their words is not known
            candidate.rescored = candidate.rescored and candidate.point.id not in self._by_words
        super().rescore(listed)

    def _many_by_words(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those whose words are enough and that have not been read, if there are many."""
        worded = [
            c
            for c in candidates
            if c.point.id in self._by_words
            and c.point.id not in self.points
            and c.point.id not in self.gone
        ]
        return worded if len(worded) > _FEW else []

    def _rescore_by_words(self, candidates: list[Candidate]) -> None:
        if not candidates:
            return
        points = self._fetch_words([c.point.id for c in candidates])
        self.gone |= {c.point.id for c in candidates if c.point.id not in points}
        present = self.present(candidates)
        read = [points[c.point.id] for c in present]
        words = self._fusion.words
        scores = words_scores(read, words, words.weights)
        named = [point.id in self._pool.first.named for point in read]
        # cosines change nothing, so the least ones will do
        values = self._pool.relevance.log_odds(Signals(-1.0, -1.0, words=scores, exact=named))
        for candidate, point, value in zip(present, read, values.tolist(), strict=True):
            self.assign_score(candidate, value, None)
            candidate.id = str(point.payload[ID])

    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The exact order values of points, and their nearest pictures."""
        named = [point.id in self._pool.first.named for point in points]
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


class FusedSearch:
    """Answers queries that have a fusion; `sets` makes pages of their candidate sets."""

    def __init__(self, points: Points, sets: CandidateSearch, pools: PoolSearch) -> None:
        self._points = points
        self._sets = sets
        self._pools = pools

    def answer(self, query: IndexQuery, fusion: Fusion, *, as_of: int) -> IndexAnswer:
        """One page; see `Fusion`."""
        query = replace(query, collapse=None) if query.collapse == ID else query
        pool = self._pools.find(query, fusion)
        vectors = (*self._points.layout.names, WORDS)
        scorer = FusedScorer(
            query,
            fusion,
            pool,
            lambda ids: self._read(query, ids, payload=True, vectors=vectors),
            lambda ids: self._read(query, ids, payload=[ID, SEQ], vectors=(WORDS,)),
        )
        members = self._members(query, fusion, pool, scorer)
        lowest = self._sets.lowest(members, query, scorer)
        members = _with_negatives(members, fusion, scorer)
        members = self._with_payload(members, query)
        selection = CandidateSet(members, lowest, pool.first.matching, pool.exact)
        answer = self._sets.answer_of(query, selection, scorer, as_of=as_of)
        token, best = answer.next_token, pool.first.best_words
        return replace(
            answer,
            next_token=None if token is None else replace(token, best_words=best),
            best_words=best[0],
            beyond=pool.first.under_filter - len(members),
        )

    def _members(
        self, query: IndexQuery, fusion: Fusion, pool: Pool, scorer: FusedScorer
    ) -> list[Candidate]:
        """The members of the set, before negatives."""
        candidates = [
            Candidate(Point(i, {}, value))
            for i, value in zip(pool.values.ids, pool.values.middle.tolist(), strict=True)
        ]
        scorer.load(_likely_needed(candidates, query, fusion, scorer.tolerance))
        scorer.rescore_close_to(candidates, fusion.least)
        close = [c for c in candidates if c.score >= fusion.least]
        return trim(close, query, scorer)

    def _read(
        self,
        query: IndexQuery,
        ids: Iterable[str],
        *,
        payload: bool | list[str],
        vectors: Vectors = False,
    ) -> dict[str, Point]:
        """Points that are still there. One that was written after the first page, and after the
        lists of this one were read, is none of them: it could be shown a second time."""
        points = self._points.retrieve(ids, payload=payload, vectors=vectors)
        if query.page_token is None:
            return points
        as_of = query.page_token.as_of
        return {i: point for i, point in points.items() if point.payload[SEQ] <= as_of}

    def _with_payload(self, members: list[Candidate], query: IndexQuery) -> list[Candidate]:
        """The members with what orders, groups and facets look at; those that are gone are left
        out."""
        keys = self._sets.payload_keys(query)
        if not isinstance(keys, tuple):
            return members
        points = self._read(query, [c.point.id for c in members], payload=[ID, SEQ, *keys])
        present = [c for c in members if c.point.id in points]
        for candidate in present:
            payload = points[candidate.point.id].payload
            candidate.point = replace(candidate.point, payload=payload)
        return present


def _likely_needed(
    candidates: list[Candidate], query: IndexQuery, fusion: Fusion, tolerance: float
) -> list[Candidate]:
    """What will be valued exactly, as far as Qdrant's scores tell; read in one request."""
    close = [c for c in candidates if c.score >= fusion.least - 2 * tolerance]
    edge = [c for c in close if c.score <= fusion.least + 2 * tolerance]
    if fusion.negatives:
        ranked = sorted(close, key=lambda c: c.rank)
        return [*edge, *ranked[: query.candidates + 1]]
    if query.sort != RELEVANCE:
        return edge
    return [*edge, *likely_needed(close, query, None, tolerance=tolerance)]


def _with_negatives(
    members: list[Candidate], fusion: Fusion, scorer: FusedScorer
) -> list[Candidate]:
    """The members without what a negative drops, with the values that the negatives leave."""
    if not fusion.negatives:
        return members
    scorer.rescore_whole(members)
    members = [c for c in scorer.present(members) if c.point.id in scorer.points]
    unwanted = scorer.unwanted([scorer.points[c.point.id] for c in members])
    drops = np.array([negative.drops for negative in fusion.negatives], np.bool_)
    pushed = pushed_log_odds(np.array([c.score for c in members], np.float64), unwanted)
    for candidate, value in zip(members, pushed.tolist(), strict=True):
        candidate.score = value
    staying = (~drop(unwanted[drops])).tolist()
    return [c for c, stays in zip(members, staying, strict=True) if stays]
