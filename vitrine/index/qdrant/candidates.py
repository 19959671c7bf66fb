"""Search by vector: the best products under the filter, then facets, order and page from that one set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from qdrant_client import models

from vitrine.errors import InvalidQuery
from vitrine.fields.schema import Schema
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken
from vitrine.index.qdrant.facets import facet_of_payloads
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.payload import (
    ID,
    SEQ,
    facet_keys,
    point_id,
    product_of,
    value_at,
    value_key,
)
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.ranking import (
    SCORE_TOLERANCE,
    Candidate,
    Rescorer,
    candidate_of,
    collapsed,
    cut,
    page_by_score,
)
from vitrine.products import Vector
from vitrine.results import Hit

__all__ = ["CandidateSearch", "excluded", "group_of"]

SPARE = 64
"""Products asked for beyond the candidates, so that ties at the end of the set and products written since its first page are seen."""


def excluded(query: IndexQuery) -> models.Condition | None:
    """Keeps out what the query excludes."""
    ids = [point_id(i) for i in sorted(query.exclude)]
    return models.Filter(must_not=[models.HasIdCondition(has_id=ids)]) if ids else None


def group_of(payload: Mapping[str, Any], key: str) -> str | None:
    """The value (the first, where there are several) that products are collapsed by."""
    found = value_at(payload, key)
    if isinstance(found, list):
        return str(found[0]) if found else None
    return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class _Found:
    """All that may belong to the set, and how it was found."""

    candidates: list[Candidate]
    search: str


class CandidateSearch:
    """Answers queries that have a vector."""

    def __init__(self, points: Points, schema: Schema, *, exact_below: int) -> None:
        self._points = points
        self._schema = schema
        self._exact_below = exact_below

    def answer(self, query: IndexQuery, vector: Vector, *, as_of: int) -> IndexAnswer:
        """One page; see `IndexQuery`."""
        matching = self._points.count(every(translate(query.filter)))
        rescorer = Rescorer(vector, lambda ids: self._points.get(ids, vectors=True))
        found = self._find(query, vector, matching, as_of)
        members = cut(found.candidates, query, rescorer)
        floor = members[-1] if len(members) == query.candidates else None
        order = None if query.sort.field is None else Order(query.sort, self._schema)
        if query.collapse is not None and query.collapse != ID:
            key = self._key(query.collapse)
            members = collapsed(members, lambda p: group_of(p, key), order, rescorer)
        total = len(members) if query.page_token is None else query.page_token.total
        page, more = self._page(members, query, order, rescorer)
        started = perf_counter()
        fields = [self._schema.require(n, wrong=InvalidQuery) for n in query.facets]
        facets = {
            f.name: facet_of_payloads(f, [m.payload for m in members], values=query.facet_values)
            for f in fields
        }
        facets_ms = (perf_counter() - started) * 1e3
        next_token = None
        if page and more:
            last = page[-1]
            bottom = (
                query.page_token.lowest_candidate
                if query.page_token is not None
                else None
                if floor is None
                else (floor.score, floor.id)
            )
            next_token = PageToken(
                as_of,
                bottom,
                (last.score if order is None else order.place(last.payload)[0], last.id),
                total,
            )
        hits = self._hits(page, rescorer)
        return IndexAnswer(
            hits, total, facets, next_token, found.search, matching, {"facets": facets_ms}
        )

    def _key(self, name: str) -> str:
        field = self._schema.require(name, wrong=InvalidQuery)
        return value_key(field)

    def _keys(self, query: IndexQuery) -> list[str]:
        """Payload paths that deciding needs; the rest is read for the page alone."""
        fields = [self._schema.require(n, wrong=InvalidQuery) for n in query.facets]
        keys = [ID, SEQ, *(key for f in fields for key in facet_keys(f))]
        keys += [self._key(n) for n in (query.sort.field, query.collapse) if n is not None]
        return list(dict.fromkeys(keys))

    def _find(self, query: IndexQuery, vector: Vector, matching: int, as_of: int) -> _Found:
        """Everything that may belong to the set: more is asked for until what is left out cannot."""
        exact = matching <= self._exact_below
        where = every(translate(query.filter), excluded(query))
        keys, least = self._keys(query), _least(query)
        limit = query.candidates + SPARE
        while matching:
            limit = min(limit, matching + 1)
            found = [
                candidate_of(s, p)
                for s, p in self._points.nearest(
                    vector, where, keys, limit=limit, least=least, exact=exact
                )
            ]
            usable = [c for c in found if c.payload[SEQ] <= as_of or query.page_token is None]
            if len(found) < limit:
                expected = min(query.candidates, matching - len(query.exclude))
                if exact or least is not None or len(found) >= expected:
                    return _Found(usable, "exact" if exact else "hnsw")
                exact = True  # the graph did not reach as many products as there are
                continue
            edge = found[-1].score
            clear = sum(c.score > edge + 2 * SCORE_TOLERANCE for c in usable)
            if clear >= query.candidates:
                return _Found(usable, "exact" if exact else "hnsw")
            limit *= 2
        return _Found([], "exact")

    def _page(
        self, members: list[Candidate], query: IndexQuery, order: Order | None, rescorer: Rescorer
    ) -> tuple[list[Candidate], bool]:
        """The next members in order, and whether more follow; one that was deleted since Qdrant found it makes room for the next."""
        while True:
            ranked = self._ranked(members, query, order, rescorer)
            page = ranked[: query.limit]
            rescorer.rescore(page)
            gone = {c.id for c in page if c.id not in rescorer.points}
            if not gone:
                return page, len(ranked) > len(page)
            members = [c for c in members if c.id not in gone]

    def _ranked(
        self, members: list[Candidate], query: IndexQuery, order: Order | None, rescorer: Rescorer
    ) -> list[Candidate]:
        if order is None:
            return page_by_score(members, query, rescorer)
        ranked = order.sorted(members, lambda c: c.payload)
        if query.page_token is not None:
            after = order.checked(query.page_token.search_after)
            ranked = [c for c in ranked if order.follows(c.payload, after)]
        return ranked

    def _hits(self, page: list[Candidate], rescorer: Rescorer) -> tuple[Hit, ...]:
        found = ((c, rescorer.points[c.id].payload) for c in page)
        return tuple(
            Hit(product_of(payload, self._schema), c.score, payload["_image_key"])
            for c, payload in found
        )


def _least(query: IndexQuery) -> float | None:
    """The score below which no product can belong to the set."""
    floor = (
        None
        if query.page_token is None or query.page_token.lowest_candidate is None
        else query.page_token.lowest_candidate[0]
    )
    bounds = [b for b in (query.min_score, floor) if b is not None]
    return max(bounds) - 2 * SCORE_TOLERANCE if bounds else None
