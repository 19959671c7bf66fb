"""The candidate set of a vector, in exact order: its end, its page, its groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vitrine.errors import InvalidCursor
from vitrine.index.ports import IndexQuery, PageToken
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.rescoring import SCORE_TOLERANCE, Candidate, Rescorer
from vitrine.queries import RELEVANCE

__all__ = [
    "SPARE_CANDIDATES",
    "after_last_hit",
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

SPARE_CANDIDATES = 64
"""Points read beyond the candidates, so that ties at the end of the set are seen."""


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
