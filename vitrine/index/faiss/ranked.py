"""The candidate set of a vector: the best products by score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrine.index.faiss.columns import Mask
from vitrine.index.faiss.nearest import Scored, cut
from vitrine.index.faiss.planner import Planner
from vitrine.index.faiss.ranking import Ranking
from vitrine.index.faiss.state import State
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector

__all__ = ["Candidates", "find_candidates", "in_order", "weigh"]

_BYTES = 24
"""Memory of one position of a ranking."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best rows by (score descending, id); `floor` is the last one's score and id where the set is full. `search` names the plan."""

    found: Ranking
    floor: tuple[float, str] | None
    search: str

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


def find_candidates(state: State, masks: Sequence[Mask], query: IndexQuery, vector: Vector, planner: Planner) -> Candidates:
    """The best `query.candidates` rows of the masks that score at least `query.min_score`."""
    k, plans = query.candidates, set[str]()
    found = []
    for part, mask in zip(state.parts, masks, strict=True):
        plan, best = planner.best(part.segment, mask, vector, k)
        plans.add(plan)
        if query.min_score is not None:
            kept = best.scores >= query.min_score
            best = Scored(best.rows[kept], best.scores[kept])
        found.append((part.segment, cut(best, k)))
    ranking = Ranking.of(found).by_score()
    ranking = ranking.take(np.arange(min(k, len(ranking))))
    floor = (ranking.scores[-1].item(), ranking.id(k - 1)) if len(ranking) == k else None
    return Candidates(ranking, floor, "hnsw" if "hnsw" in plans else "exact")


def in_order(found: Ranking, query: IndexQuery) -> Ranking:
    """The candidates in the order of the query's sort, collapsed."""
    ordered = found if query.sort.field is None else found.sorted(query.sort)
    return ordered if query.collapse is None else ordered.collapsed(query.collapse)


def weigh(found: Ranking) -> int:
    """Bytes of memory of a ranking."""
    return _BYTES * len(found) + 1000
