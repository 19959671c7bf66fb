"""The candidate set of a vector.

Qdrant finds and scores in float32, so its scores differ in the last digits from one plan, processor or replica to the
next. Wherever that could decide something (who is in the set, who comes first on the page) the scores are computed again
in float64 from the original vectors, read for the few products in question: the same answer as every other backend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrine.errors import InvalidCursor
from vitrine.index.ports import SCORE_DECIMALS, IndexQuery
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.payload import ID, VECTOR
from vitrine.products import Vector

__all__ = [
    "SCORE_TOLERANCE",
    "Candidate",
    "Rescorer",
    "candidate_of",
    "collapsed",
    "cut",
    "page_by_score",
]

SCORE_TOLERANCE = 1e-5
"""How far Qdrant's score may be from the exact one. Measured: 1e-8 at 512 dimensions; n x 2^-24 bounds it at 6e-5 for n = 1024
only if every rounding went the same way."""


@dataclass(slots=True, eq=False)
class Candidate:
    """A product that Qdrant found; `score` is Qdrant's until it is rescored."""

    id: str
    score: float
    payload: Mapping[str, Any]
    rescored: bool = False

    @property
    def rank(self) -> tuple[float, str]:
        """Sorts by score descending, then id."""
        return (-self.score, self.id)


class Rescorer:
    """Replaces Qdrant's scores by exact ones; `fetch` reads points with payload and vector by product id."""

    def __init__(self, vector: Vector, fetch: Callable[[Iterable[str]], dict[str, Any]]) -> None:
        self._vector = vector.astype(np.float64)
        self._fetch = fetch
        self.points: dict[str, Any] = {}

    def rescore(self, candidates: Iterable[Candidate]) -> None:
        """Make the scores of these exact, rounded to `SCORE_DECIMALS`."""
        open_ = [c for c in candidates if not c.rescored]
        missing = [c.id for c in open_ if c.id not in self.points]
        if missing:
            self.points |= self._fetch(missing)
        for candidate in open_:
            point = self.points.get(candidate.id)
            exact = candidate.score if point is None else self._score(point.vector[VECTOR])
            # a product that was written again since Qdrant scored it keeps its place on this page
            candidate.score = (
                round(
                    exact if abs(exact - candidate.score) <= SCORE_TOLERANCE else candidate.score,
                    SCORE_DECIMALS,
                )
                + 0.0
            )
            candidate.rescored = True

    def rescore_close_to(self, candidates: Iterable[Candidate], score: float) -> None:
        """Settle those whose score cannot be told from this one."""
        self.rescore(c for c in candidates if abs(c.score - score) <= 2 * SCORE_TOLERANCE)

    def _score(self, row: Any) -> float:
        return float(
            np.einsum("j,j->", np.asarray(row, np.float32).astype(np.float64), self._vector)
        )


def cut(found: list[Candidate], query: IndexQuery, rescorer: Rescorer) -> list[Candidate]:
    """The members of the set among all that may belong to it, by (score descending, id)."""
    if query.min_score is not None:
        rescorer.rescore_close_to(found, query.min_score)
        found = [c for c in found if c.score >= query.min_score]
    floor = None if query.page_token is None else query.page_token.lowest_candidate
    if floor is not None:
        rescorer.rescore_close_to(found, floor[0])
        found = [c for c in found if c.rank <= (-floor[0], floor[1])]
    found.sort(key=lambda c: c.rank)
    if len(found) >= query.candidates:
        rescorer.rescore_close_to(found, found[query.candidates - 1].score)
        found.sort(key=lambda c: c.rank)
    return found[: query.candidates]


def page_by_score(
    members: list[Candidate], query: IndexQuery, rescorer: Rescorer
) -> list[Candidate]:
    """The members that come after the last page's last hit, the first page of them exactly in order."""
    after = None if query.page_token is None else query.page_token.search_after
    if after is not None:
        if not isinstance(after[0], int | float):
            raise InvalidCursor.of("cursor", "is damaged; leave it out for the first page")
        rescorer.rescore_close_to(members, after[0])
        members = [c for c in members if c.rank > (-after[0], after[1])]
    members.sort(key=lambda c: c.rank)
    if members:
        edge = members[min(query.limit, len(members)) - 1].score
        rescorer.rescore(c for c in members if c.score >= edge - 2 * SCORE_TOLERANCE)
        members.sort(key=lambda c: c.rank)
    return members


def collapsed(
    members: list[Candidate],
    group_of: Callable[[Mapping[str, Any]], str | None],
    order: Order | None,
    rescorer: Rescorer,
) -> list[Candidate]:
    """The first member of each group in the order (None: by score), and all without a group."""
    groups: dict[str, list[Candidate]] = {}
    alone = []
    for member in members:
        group = group_of(member.payload)
        if group is None:
            alone.append(member)
        else:
            groups.setdefault(group, []).append(member)
    kept = []
    for group_members in groups.values():
        if order is not None:
            kept.append(order.sorted(group_members, lambda c: c.payload)[0])
            continue
        best = max(c.score for c in group_members)
        if len(group_members) > 1:
            rescorer.rescore_close_to(group_members, best)
        kept.append(min(group_members, key=lambda c: c.rank))
    return [*alone, *kept]


def candidate_of(score: float, payload: Mapping[str, Any]) -> Candidate:
    """A candidate as Qdrant reported it."""
    return Candidate(str(payload[ID]), score, payload)
