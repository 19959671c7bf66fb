"""Search by words and vectors together: the same set, order and numbers as every other backend.

`pool` finds all that may belong to the set, valued by Qdrant's scores. Wherever these cannot decide
(who is close enough, who is in the set, who comes first on the page) the values are computed again
in float64 from the vectors and words of the few products in question, as `ranking` does for
cosines. Negatives re-order a whole set, so there all of its products are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexAnswer, IndexQuery
from vitrine.index.qdrant.candidates import CandidateSearch, CandidateSet
from vitrine.index.qdrant.fused_scorer import FusedScorer
from vitrine.index.qdrant.payload import ID, SEQ
from vitrine.index.qdrant.point import WORDS, Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.pool import Pool, PoolSearch
from vitrine.index.qdrant.queries import Read
from vitrine.index.qdrant.ranking import close_to_ends, may_be_on_page, trim
from vitrine.index.qdrant.rescoring import Candidate
from vitrine.queries import RELEVANCE
from vitrine.relevance import drop, pushed_log_odds

__all__ = ["FusedSearch"]

_AROUND_END = 8
"""Payloads read beyond the candidates: the last ones may turn out to be others."""
_GROUPED = 2
"""Members that are read for a page of groups, for each group."""


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
        scorer = FusedScorer(query, fusion, pool, lambda reads: self._read(query, reads), vectors)
        keys = self._sets.payload_keys(query)
        members = self._members(query, fusion, pool, scorer, keys)
        lowest = self._sets.lowest(members, query, scorer)
        members = _with_negatives(members, fusion, scorer)
        if keys:
            members = _with_payload(members, scorer, keys)
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
        self,
        query: IndexQuery,
        fusion: Fusion,
        pool: Pool,
        scorer: FusedScorer,
        keys: Sequence[str],
    ) -> list[Candidate]:
        """The members of the set, before negatives; their payload `keys` are read with what
        decides which they are."""
        candidates = _candidates(pool, scorer)
        ranked = sorted(
            (c for c in candidates if c.score >= fusion.least - 2 * scorer.tolerance),
            key=lambda c: c.rank,
        )
        needed = _likely_needed(ranked, query, fusion, scorer.tolerance)
        if _compares_members(query):  # they may tie by hundreds
            tied = (c for c in ranked[: query.candidates] if scorer.by_words(c))
            needed += [c for c in tied if not c.rescored]
        likely_members = ranked[: query.candidates + _AROUND_END]
        scorer.load_with_payloads(needed, likely_members, keys)
        scorer.rescore_close_to(candidates, fusion.least)
        close = [c for c in candidates if c.score >= fusion.least]
        return trim(close, query, scorer)

    def _read(self, query: IndexQuery, reads: Sequence[Read]) -> list[dict[str, Point]]:
        """Points that are still there. One that was written after the first page, and after the
        lists of this one were read, is none of them: it could be shown a second time."""
        answers = self._points.each(reads)
        if query.page_token is None:
            return answers
        as_of = query.page_token.as_of
        return [
            {i: point for i, point in points.items() if point.payload[SEQ] <= as_of}
            for points in answers
        ]


def _candidates(pool: Pool, scorer: FusedScorer) -> list[Candidate]:
    """All that may belong to the set; ties at its end have their exact values and ids."""
    tied = pool.tied
    candidates = [
        Candidate(Point(i, {ID: tied.ids[i]} if i in tied.ids else {}, value))
        for i, value in zip(pool.values.ids, pool.values.middle.tolist(), strict=True)
    ]
    if tied.value is not None:
        for candidate in candidates:
            if candidate.point.id in tied.ids:
                scorer.assign_score(candidate, tied.value, None)
    return candidates


def _with_payload(
    members: list[Candidate], scorer: FusedScorer, keys: Sequence[str]
) -> list[Candidate]:
    """The members with what orders, groups and facets look at; those that are gone are left
    out."""
    scorer.load_with_payloads((), members, keys)
    present = scorer.present(members)
    for candidate in present:
        candidate.point = replace(candidate.point, payload=scorer.payloads[candidate.point.id])
    return present


def _compares_members(query: IndexQuery) -> bool:
    """Whether values decide of products that are on no page: which one of a group is best, or which
    of those with the same price comes first."""
    by_relevance = any(key.field is None for key in query.sort.keys)
    return by_relevance and (query.collapse is not None or query.sort != RELEVANCE)


def _likely_needed(
    ranked: list[Candidate], query: IndexQuery, fusion: Fusion, tolerance: float
) -> list[Candidate]:
    """What will be valued exactly, as far as Qdrant's scores tell; `ranked` are all that are
    close."""
    unsure = [c for c in ranked if c.score <= fusion.least + 2 * tolerance]
    unsure += close_to_ends(ranked, query, tolerance)
    needed = [c for c in unsure if not c.rescored]
    if fusion.negatives:
        return [*needed, *ranked[: query.candidates + 1]]
    if query.sort != RELEVANCE:
        return needed
    members = ranked[: query.candidates]
    if query.collapse is not None:
        # how many of them are the best of their groups is not known yet
        query = replace(query, limit=_GROUPED * query.limit)
    return [*needed, *may_be_on_page(members, query, tolerance)]


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
