"""The candidate set of a vector: the best products by score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.planner import Planner, search_of
from vitrine.index.faiss.query.ranking import Ranking
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.vectors.exact import trim_ties
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector
from vitrine.queries import RELEVANCE

__all__ = ["CandidateSet", "find_candidates", "needed_prefix", "ordered_prefix", "sort_candidates"]


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """The best rows by (score descending, id); `search` names the plan.

    `lowest` is the last one's score and id where the set is full and all of it is known. `total` is
    how many it has where only the first are known, else None.
    """

    ranking: Ranking
    lowest: tuple[float, str] | None
    search: str
    total: int | None = None

    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.ranking.nbytes()

    def above(self, lowest: tuple[float, str] | None) -> Ranking:
        """Those not below the lowest candidate of an earlier page."""
        if lowest is None or lowest == self.lowest:
            return self.ranking
        score, last_id = lowest
        above = self.ranking.scores >= score
        for position in np.flatnonzero(self.ranking.scores == score).tolist():
            above[position] = self.ranking.id(position) <= last_id
        return self.ranking.take(above)


def needed_prefix(query: IndexQuery) -> int:
    """How many of its candidates, the best first, an answer depends on, but for their number."""
    return query.candidates if query.facets else ordered_prefix(query)


def ordered_prefix(query: IndexQuery) -> int:
    """How many of them it needs in order, with their scores; facets only count the others."""
    whole = (
        query.page_token or query.collapse or query.sort != RELEVANCE or query.min_score is not None
    )
    # one more than a page tells whether another follows
    return query.candidates if whole else min(query.candidates, query.limit + 1)


def find_candidates(
    state: State, masks: Sequence[Mask], query: IndexQuery, vector: Vector, planner: Planner
) -> CandidateSet:
    """The best `query.candidates` rows of the masks that score at least `query.min_score`.

    All of them, or the first that the answer depends on.
    """
    k, prefix, plans = query.candidates, needed_prefix(query), set[str]()
    scored = []
    for entry, mask in zip(state.segments, masks, strict=True):
        plan, best = planner.top_k(entry.segment, mask, vector, k, prefix=prefix)
        plans.add(plan)
        if query.min_score is not None:
            best = best.take(best.scores >= query.min_score)
        scored.append((entry.segment, trim_ties(best, prefix)))
    ranking = Ranking.of(scored).by_score()
    ranking = ranking.take(np.arange(min(prefix, len(ranking))))
    search = search_of(plans)
    if prefix < k:
        total = min(k, sum(int(np.count_nonzero(mask)) for mask in masks))
        return CandidateSet(ranking, None, search, total)
    lowest = (ranking.scores[-1].item(), ranking.id(k - 1)) if len(ranking) == k else None
    return CandidateSet(ranking, lowest, search)


def sort_candidates(candidates: Ranking, query: IndexQuery) -> Ranking:
    """The candidates in the order of the query's sort, collapsed."""
    ordered = candidates if query.sort == RELEVANCE else candidates.sorted(query.sort)
    return ordered if query.collapse is None else ordered.collapsed(query.collapse)
