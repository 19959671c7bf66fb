"""The candidate set of a vector, in exact order.

Qdrant finds and scores in float32, so its scores differ in the last digits from one plan, processor
or replica to the next. Wherever that could decide something (who is in the set, who comes first on
the page) the scores are computed again in float64 from the original vectors, read for the few
products in question: the same answer as every other backend. A product's score is the largest of
its pictures', in Qdrant (max-sim) as here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.errors import InvalidCursor
from vitrine.index.ports import SCORE_DECIMALS, IndexQuery, PageToken
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.payload import ID
from vitrine.index.qdrant.wire import Point
from vitrine.products import Vector
from vitrine.queries import RELEVANCE

__all__ = [
    "SCORE_TOLERANCE",
    "SPARE_CANDIDATES",
    "Candidate",
    "CosineRescorer",
    "Fetch",
    "Rescorer",
    "after_last_hit",
    "best_picture",
    "close_to_ends",
    "collapse",
    "following",
    "in_rank_order",
    "last_score",
    "likely_needed",
    "lowest_of",
    "may_be_on_page",
    "needs_members",
    "trim",
    "within",
]

SCORE_TOLERANCE = 1e-5
"""How far Qdrant's score may be from the exact one.

Measured: 1e-8 at 512 dimensions; n x 2^-24 bounds it at 6e-5 for n = 1024 only if every rounding
went the same way.
"""


SPARE_CANDIDATES = 64
"""Points read beyond the candidates, so that ties at the end of the set are seen."""


@dataclass(slots=True, eq=False)
class Candidate:
    """A product that Qdrant reported; `score` is Qdrant's until it is rescored."""

    point: Point
    score: float = field(init=False)
    id: str = field(init=False)
    """Of the product; empty while only the point's id and score have been read."""
    rescored: bool = False
    image: int | None = 0
    """Which of the product's pictures has the score; known once it is rescored, None where none
    took part."""

    def __post_init__(self) -> None:
        self.score = self.point.score
        self.id = str(self.point.payload.get(ID, ""))

    @property
    def payload(self) -> Mapping[str, Any]:
        """The keys that were read to decide about the candidate."""
        return self.point.payload

    @property
    def rank(self) -> tuple[float, str]:
        """Sorts by score descending, then id."""
        return (-self.score, self.id)


Fetch = Callable[[Iterable[str]], dict[str, Point]]
"""Reads points with payload and vectors by their ids."""


class Rescorer(ABC):
    """Replaces Qdrant's scores by exact ones.

    `points` holds all that were read.
    """

    tolerance = SCORE_TOLERANCE
    """How far a candidate's score may be from the exact one."""
    decimals = SCORE_DECIMALS
    """To which exact scores are rounded."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.points: dict[str, Point] = {}
        self.gone: set[str] = set()
        """Points that were deleted since Qdrant reported them."""

    def add(self, points: Iterable[Point]) -> None:
        """Add points that have been read with payload and vector."""
        self.points |= {point.id: point for point in points}

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Read what is missing of these, in one request."""
        ids = [c.point.id for c in candidates]
        missing = [i for i in ids if i not in self.points and i not in self.gone]
        if missing:
            self.points |= self._fetch(missing)
            self.gone |= {i for i in missing if i not in self.points}

    def rescore(self, candidates: Iterable[Candidate]) -> None:
        """Make the scores of these exact, rounded to `decimals`."""
        pending = [c for c in candidates if not c.rescored]
        self.load(pending)
        read = [self.points[c.point.id] for c in pending if c.point.id in self.points]
        scores = dict(zip([p.id for p in read], self.scores(read) if read else (), strict=True))
        for candidate in pending:
            point = self.points.get(candidate.point.id)
            if candidate.point.id in scores:
                exact, image = scores[candidate.point.id]
                self.assign_score(candidate, exact, image)
            else:
                self.assign_score(candidate, candidate.score, candidate.image)
            candidate.id = candidate.id if point is None else str(point.payload[ID])

    def assign_score(self, candidate: Candidate, exact: float, image: int | None) -> None:
        """Set a candidate's exact score.

        A product that was written again since Qdrant scored it keeps its place on this page.
        """
        close = abs(exact - candidate.score) <= self.tolerance
        candidate.score = round(exact if close else candidate.score, self.decimals) + 0.0
        candidate.image = image
        candidate.rescored = True

    def rescore_whole(self, candidates: Iterable[Candidate]) -> None:
        """Rescore these, and read all that a hit shows of them."""
        self.rescore(candidates)

    def rescore_close_to(self, candidates: Iterable[Candidate], score: float) -> None:
        """Rescore those whose score cannot be told from this one."""
        self.rescore(c for c in candidates if abs(c.score - score) <= 2 * self.tolerance)

    def present(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those that have not been deleted meanwhile, as far as is known."""
        return [c for c in candidates if c.point.id not in self.gone]

    def shown(self, score: float) -> float:
        """The score as hits have it."""
        return score

    @abstractmethod
    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The exact scores of points that were read, and which picture each is of."""


class CosineRescorer(Rescorer):
    """Scores are cosines with a vector."""

    def __init__(self, vector: Vector, fetch: Fetch) -> None:
        super().__init__(fetch)
        self._vector = vector.astype(np.float64)

    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The largest cosine of each point's pictures, and the first picture that has it."""
        return [best_picture(point, self._vector) for point in points]


def best_picture(point: Point, vector: NDArray[np.float64]) -> tuple[float, int]:
    """The largest cosine of a point's pictures, rounded, and the first that has it."""
    cosines = np.round(
        np.einsum("ij,j->i", point.pictures.astype(np.float64), vector), SCORE_DECIMALS
    )
    image = int(cosines.argmax())
    return float(cosines[image]), image


def trim(candidates: list[Candidate], query: IndexQuery, rescorer: Rescorer) -> list[Candidate]:
    """The members of the set among all that may belong to it, by (score descending, id)."""
    if query.min_score is not None:
        rescorer.rescore_close_to(candidates, query.min_score)
        candidates = [c for c in candidates if c.score >= query.min_score]
    lowest = None if query.page_token is None else query.page_token.lowest_candidate
    candidates = within(candidates, lowest, rescorer)
    candidates = sorted(rescorer.present(candidates), key=lambda c: c.rank)
    if _end_decides(candidates, query, rescorer.tolerance):
        rescorer.rescore_close_to(candidates, candidates[query.candidates - 1].score)
        candidates = sorted(rescorer.present(candidates), key=lambda c: c.rank)
    return candidates[: query.candidates]


def needs_members(query: IndexQuery) -> bool:
    """Whether the answer depends on which products are in the set, and not on its best ones and
    its size alone."""
    return (
        query.page_token is not None
        or query.sort != RELEVANCE
        or query.collapse is not None
        or bool(query.facets)
        or (query.fusion is not None and bool(query.fusion.negatives))
    )


def _end_decides(ranked: list[Candidate], query: IndexQuery, tolerance: float) -> bool:
    """Whether the answer depends on which of the candidates that tie at the end of the set are in
    it."""
    if len(ranked) <= query.candidates:
        return False
    last, next_one = ranked[query.candidates - 1], ranked[query.candidates]
    if last.score - next_one.score > 2 * tolerance:
        return False
    end_of_page = ranked[min(query.limit, query.candidates) - 1]
    return needs_members(query) or last.score >= end_of_page.score - 2 * tolerance


def within(
    candidates: list[Candidate], lowest: tuple[float, str] | None, rescorer: Rescorer
) -> list[Candidate]:
    """Those that do not rank below the last candidate of a set that was cut."""
    if lowest is None:
        return candidates
    rescorer.rescore_close_to(candidates, lowest[0])
    return [c for c in candidates if c.rank <= (-lowest[0], lowest[1])]


def lowest_of(members: list[Candidate], rescorer: Rescorer) -> tuple[float, str] | None:
    """The exact score and the id of the last member, with which further pages bound the set."""
    while members:
        rescorer.rescore_close_to(members, members[-1].score)
        present = sorted(rescorer.present(members), key=lambda c: c.rank)
        if len(present) == len(members):
            return present[-1].score, present[-1].id
        members = present
    return None


def after_last_hit(
    candidates: list[Candidate], token: PageToken | None, rescorer: Rescorer
) -> list[Candidate]:
    """Those that come after the last hit of the page before, by (score descending, id)."""
    if token is None:
        return candidates
    score = last_score(token)
    rescorer.rescore_close_to(candidates, score)
    return [c for c in candidates if c.rank > (-score, token.search_after[1])]


def last_score(token: PageToken) -> float:
    """The score of the last hit shown; `InvalidCursor` when the token is of another order."""
    score = token.search_after[0]
    if not isinstance(score, int | float):
        raise InvalidCursor.of("cursor", "is damaged; leave it out for the first page")
    return score


def in_rank_order(
    candidates: list[Candidate], rescorer: Rescorer, *, first: int
) -> list[Candidate]:
    """The candidates by (score descending, id), the first of them exactly."""
    candidates = sorted(candidates, key=lambda c: c.rank)
    if candidates:
        edge = candidates[min(first, len(candidates)) - 1].score
        rescorer.rescore(c for c in candidates if c.score >= edge - 2 * rescorer.tolerance)
        candidates = sorted(rescorer.present(candidates), key=lambda c: c.rank)
    return candidates


def following(members: list[Candidate], query: IndexQuery, order: Order) -> list[Candidate]:
    """The members in the order of a field, from the one after the page token's."""
    ranked = order.sorted(members, lambda c: c.payload, lambda c: c.score)
    if query.page_token is None:
        return ranked
    after = order.checked(query.page_token.search_after)
    return [c for c in ranked if order.follows(c.payload, after, c.score)]


def likely_needed(
    candidates: list[Candidate],
    query: IndexQuery,
    order: Order | None,
) -> list[Candidate]:
    """What the page and the ends of the set need, as far as Qdrant's scores tell.

    It is read in one request; what is missing after all costs another one, never an answer.
    """
    ranked = sorted(candidates, key=lambda c: c.rank)
    needed, members = close_to_ends(ranked, query, SCORE_TOLERANCE), ranked[: query.candidates]
    if query.collapse is not None:
        return needed
    if order is not None:
        return [*needed, *following(members, query, order)[: query.limit]]
    return [*needed, *may_be_on_page(members, query, SCORE_TOLERANCE)]


def close_to_ends(ranked: list[Candidate], query: IndexQuery, tolerance: float) -> list[Candidate]:
    """The candidates that may or may not be in the set, as far as Qdrant's scores tell."""
    token, members = query.page_token, ranked[: query.candidates]
    bounds = [] if query.min_score is None else [query.min_score]
    bounds += [] if token is None or token.lowest_candidate is None else [token.lowest_candidate[0]]
    if len(ranked) > query.candidates:
        decides = _end_decides(ranked, query, tolerance)
        # further pages must know exactly where the set ends
        known = decides or token is not None or query.sort != RELEVANCE
        bounds += [members[-1].score] if known else []
    return [c for b in bounds for c in ranked if abs(c.score - b) <= 2 * tolerance]


def may_be_on_page(
    members: list[Candidate], query: IndexQuery, tolerance: float
) -> list[Candidate]:
    """The members, by rank, that may be on the query's page by relevance."""
    size, token = query.limit, query.page_token
    if token is not None:
        score, last_id = last_score(token), token.search_after[1]
        members = [
            c
            for c in members
            if (c.rank > (-score, last_id) if c.rescored else c.score <= score + 2 * tolerance)
        ]
        # these may turn out to be on the page before
        size += sum(not c.rescored and c.score >= score - 2 * tolerance for c in members)
    page, rest = members[:size], members[size:]
    edge = page[-1].score if page else 0.0
    return [*page, *(c for c in rest if not c.rescored and c.score >= edge - 2 * tolerance)]


def collapse(
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
    several = [group for group in groups.values() if len(group) > 1]
    if order is None:
        tied = [c for group in several for c in _contenders(group, rescorer.tolerance)]
        rescorer.rescore(tied)
    leaders = [
        min(group, key=lambda c: c.rank)
        if order is None
        else order.sorted(group, lambda c: c.payload, lambda c: c.score)[0]
        for group in groups.values()
    ]
    return [*alone, *leaders]


def _contenders(group: list[Candidate], tolerance: float) -> list[Candidate]:
    """Those of a group that may be its best; none where only one may."""
    best = max(c.score for c in group)
    close = [c for c in group if c.score >= best - 2 * tolerance]
    return close if len(close) > 1 else []
