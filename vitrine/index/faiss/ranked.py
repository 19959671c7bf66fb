"""The candidate set of a vector: the best products by score, in the order of the query's sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from vitrine.index.faiss.collapse import first_of_each_group
from vitrine.index.faiss.columns import Mask
from vitrine.index.faiss.facets import Selection
from vitrine.index.faiss.layout import ID
from vitrine.index.faiss.nearest import cut
from vitrine.index.faiss.order import Key, Raw, key_of, raw_of
from vitrine.index.faiss.planner import Planner
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.state import State
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector

__all__ = ["Candidate", "Candidates", "Entry", "find_candidates", "in_order", "selections", "weigh"]

_BYTES = 300
"""Memory of one candidate or entry with its strings and numbers, roughly."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A row among the best."""

    score: float
    id: str
    segment: Segment
    row: int


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best rows by (score descending, id); `floor` is the last one's where the set was cut. `search` names the plan."""

    found: tuple[Candidate, ...]
    floor: tuple[float, str] | None
    search: str

    def weigh(self) -> int:
        """Bytes of memory, roughly."""
        return weigh(self.found)

    def down_to(self, floor: tuple[float, str] | None) -> Sequence[Candidate]:
        """Those not below the floor of an earlier page."""
        if floor is None or floor == self.floor:
            return self.found
        return [c for c in self.found if (-c.score, c.id) <= (-floor[0], floor[1])]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A place in a candidate set."""

    key: Key
    raw: Raw
    segment: Segment
    row: int
    score: float | None


def find_candidates(state: State, masks: Sequence[Mask], query: IndexQuery, vector: Vector, planner: Planner) -> Candidates:
    """The best `query.candidates` rows of the masks that score at least `query.min_score`."""
    k, plans = query.candidates, set[str]()
    found: list[Candidate] = []
    for part, mask in zip(state.parts, masks, strict=True):
        plan, best = planner.best(part.segment, mask, vector, k)
        plans.add(plan)
        if query.min_score is not None:
            kept = best.scores >= query.min_score
            best = type(best)(best.rows[kept], best.scores[kept])
        best = cut(best, k)
        segment = part.segment
        found += [Candidate(s, segment.id(r), segment, r) for r, s in zip(best.rows.tolist(), best.scores.tolist(), strict=True)]
    found.sort(key=lambda c: (-c.score, c.id))
    floor = (found[k - 1].score, found[k - 1].id) if len(found) >= k else None
    return Candidates(tuple(found[:k]), floor, "hnsw" if "hnsw" in plans else "exact")


def in_order(candidates: Sequence[Candidate], query: IndexQuery) -> tuple[Entry, ...]:
    """The candidates in the order of the query's sort, collapsed."""
    sort = query.sort
    entries = [_entry(c, query) for c in candidates]
    if sort.field is not None:
        entries.sort(key=lambda e: e.key)
    if query.collapse is not None and query.collapse != ID:
        first = first_of_each_group(((e.segment, e.row) for e in entries), query.collapse)
        entries = [entry for entry, is_first in zip(entries, first, strict=True) if is_first]
    return tuple(entries)


def _entry(candidate: Candidate, query: IndexQuery) -> Entry:
    raw: Raw = candidate.score if query.sort.field is None else raw_of(candidate.segment, candidate.row, query.sort)
    return Entry(key_of(raw, candidate.id, query.sort), raw, candidate.segment, candidate.row, candidate.score)


def selections(entries: Sequence[Entry]) -> list[Selection]:
    """The entries' rows by segment."""
    placed = sorted(((id(e.segment), e.row, e.segment) for e in entries), key=itemgetter(0))
    grouped = (list(group) for _, group in groupby(placed, key=itemgetter(0)))
    return [Selection(group[0][2], np.asarray([row for _, row, _ in group], np.int64)) for group in grouped]


def weigh(found: Sequence[object]) -> int:
    """Bytes of memory of candidates or entries, roughly."""
    return _BYTES * len(found) + 500
