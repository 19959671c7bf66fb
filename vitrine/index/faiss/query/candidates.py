"""The candidate set of a vector: the best products by score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.ranking import Ranking
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.vectors.exact import Scored, cut
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector

__all__ = ["Candidates", "find_candidates", "first_looked_at", "in_order", "weigh"]

_BYTES = 24
"""Memory of one position of a ranking."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best rows by (score descending, id); `search` names the plan.

    `floor` is the last one's score and id where the set is full and all of it is known. `total` is how many it has where
    only the first are known, else None.
    """

    found: Ranking
    floor: tuple[float, str] | None
    search: str
    total: int | None = None

    def weigh(self) -> int:
        """Bytes of memory."""
        return weigh(self.found)

    def down_to(self, floor: tuple[float, str] | None) -> Ranking:
        """Those not below the floor of an earlier page."""
        if floor is None or floor == self.floor:
            return self.found
        score, last = floor
        kept = self.found.scores >= score
        for position in np.flatnonzero(self.found.scores == score).tolist():
            kept[position] = self.found.id(position) <= last
        return self.found.take(kept)


def first_looked_at(query: IndexQuery) -> int:
    """How many of its candidates, the best first, an answer depends on, but for their number."""
    whole = (
        query.page_token
        or query.facets
        or query.collapse
        or query.sort.field is not None
        or query.min_score is not None
    )
    return (
        query.candidates if whole else min(query.candidates, query.limit + 1)
    )  # one more tells whether a page follows


def find_candidates(
    state: State, masks: Sequence[Mask], query: IndexQuery, vector: Vector, planner: Planner
) -> Candidates:
    """The best `query.candidates` rows of the masks that score at least `query.min_score`: all, or the first that are looked at."""
    k, first, plans = query.candidates, first_looked_at(query), set[str]()
    found = []
    for part, mask in zip(state.parts, masks, strict=True):
        plan, best = planner.best(part.segment, mask, vector, k, first=first)
        plans.add(plan)
        if query.min_score is not None:
            kept = best.scores >= query.min_score
            best = Scored(best.rows[kept], best.scores[kept])
        found.append((part.segment, cut(best, first)))
    ranking = Ranking.of(found).by_score()
    ranking = ranking.take(np.arange(min(first, len(ranking))))
    search = "hnsw" if "hnsw" in plans else "exact"
    if first < k:
        return Candidates(
            ranking, None, search, min(k, sum(int(np.count_nonzero(mask)) for mask in masks))
        )
    floor = (ranking.scores[-1].item(), ranking.id(k - 1)) if len(ranking) == k else None
    return Candidates(ranking, floor, search)


def in_order(found: Ranking, query: IndexQuery) -> Ranking:
    """The candidates in the order of the query's sort, collapsed."""
    ordered = found if query.sort.field is None else found.sorted(query.sort)
    return ordered if query.collapse is None else ordered.collapsed(query.collapse)


def weigh(found: Ranking) -> int:
    """Bytes of memory of a ranking."""
    return _BYTES * len(found) + 1000
