"""Browsing: every product under the filter, page by page in the order of the query's sort.

Pages, totals and facets come from Qdrant's own indexes, so their cost does not grow with the
catalog. Only a collapsed set has to be gone through whole, because which product of a group comes
first depends on all of them: there the ids, keys and groups of all matching products (not the
products) are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

from qdrant_client import models

from vitrine.errors import InvalidQuery
from vitrine.fields.schema import Field, Schema
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken
from vitrine.index.qdrant.facets import facet_of, facet_of_payloads, group_keys, with_groups
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.ordered_reading import in_order
from vitrine.index.qdrant.ordering import Order
from vitrine.index.qdrant.payload import (
    ID,
    facet_keys,
    group_of,
    groups_of,
    image_keys,
    product_of,
    value_key,
)
from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.readahead import ReadAhead, Reads
from vitrine.index.qdrant.scope import conditions_of, filter_of
from vitrine.results import Facet, Hit

__all__ = ["Browsing"]


class Browsing:
    """Answers queries that have no vector."""

    def __init__(self, points: Points, schema: Schema) -> None:
        self._points = points
        self._schema = schema
        self._ahead = ReadAhead(points)
        self._folded = points.layout.folded

    def answer(self, query: IndexQuery, *, as_of: int) -> IndexAnswer:
        """One page; see `IndexQuery`."""
        order = Order(query.sort, self._schema, titles=self._points.layout.title_form)
        if query.collapse not in (None, ID):
            return self._collapsed_answer(query, str(query.collapse), order, as_of)
        if query.page_token is not None:
            return self._read_answer(query, order, as_of, Reads(self._points, {}))
        shape = (query.filter, query.exclude, query.sort, query.limit, query.facets)
        reads = self._ahead.reads(shape)
        answer = self._read_answer(query, order, as_of, reads)
        self._ahead.remember(shape, reads)
        return answer

    def facets(
        self, names: Sequence[str], condition: models.Condition | None, *, values: int
    ) -> dict[str, Facet]:
        """Counts over all products that fulfill the condition."""
        where = [] if condition is None else [condition]
        fields = self._fields(names)
        reads = Reads(self._points, {})
        counted = self._points.together(
            [
                partial(facet_of, field, reads, where, values=values, folded=self._folded)
                for field in fields
            ]
        )
        return {field.name: facet for field, facet in zip(fields, counted, strict=True)}

    def _read_answer(
        self, query: IndexQuery, order: Order, as_of: int, reads: Reads
    ) -> IndexAnswer:
        """A page from Qdrant's orders, counts and facets, which do not wait for one another."""
        after = None if query.page_token is None else order.checked(query.page_token.search_after)
        where, size = conditions_of(query), query.limit + 1
        parts: list[Callable[[], Any]] = [
            lambda: list(islice(in_order(order, reads.fetcher(where), after, size), size)),
            lambda: reads.count(every(translate(query.filter))),
            *(
                partial(
                    facet_of, field, reads, where, values=query.facet_values, folded=self._folded
                )
                for field in self._fields(query.facets)
            ),
        ]
        if query.exclude and query.page_token is None:
            parts.append(lambda: reads.count(filter_of(query)))
        points, matching, *rest = self._points.together(parts)
        facets = dict(zip(query.facets, rest, strict=False))
        total = rest[-1] if len(rest) > len(facets) else matching
        page = _Page(points, total, matching, facets)
        return self._answer(query, order, as_of, page)

    def _collapsed_answer(
        self, query: IndexQuery, collapse: str, order: Order, as_of: int
    ) -> IndexAnswer:
        """A page of a set that has to be read whole."""
        after = None if query.page_token is None else order.checked(query.page_token.search_after)
        matching = self._points.count(every(translate(query.filter)))
        group_key = value_key(self._schema.require(collapse, wrong=InvalidQuery))
        points = self._points_to_collapse(query, group_key, order)
        variants = [point.payload for point in points]
        groups = groups_of(variants, group_key)
        members = _leaders(order.sorted(points, lambda p: p.payload), group_key)
        rest = members if after is None else [p for p in members if order.follows(p.payload, after)]
        ids = [p.payload[ID] for p in rest[: query.limit + 1]]
        products = self._points.get(ids)
        started = perf_counter()
        facets = {
            f.name: facet_of_payloads(
                f, variants, values=query.facet_values, groups=groups, folded=self._folded
            )
            for f in self._fields(query.facets)
        }
        timings = {"facets": (perf_counter() - started) * 1e3}
        shown = [products[i] for i in ids if i in products]
        answer = self._answer(query, order, as_of, _Page(shown, len(members), matching, facets))
        own = [group_of(p.payload, group_key) for p in shown[: query.limit]]
        hits = with_groups(answer.hits, own, variants, groups, schema=self._schema)
        return replace(answer, hits=hits, timings_ms=timings)

    def _answer(self, query: IndexQuery, order: Order, as_of: int, page: _Page) -> IndexAnswer:
        """The answer for a page that was read with the first product of the next one."""
        shown = page.points[: query.limit]
        total = page.total if query.page_token is None else query.page_token.total
        token = None
        if len(page.points) > query.limit:
            token = PageToken(as_of, None, order.place(shown[-1].payload), total)
        hits = tuple(
            Hit(product_of(p.payload, self._schema), None, image_keys(p.payload)) for p in shown
        )
        return IndexAnswer(hits, total, page.facets, token, "browse", page.matching)

    def _fields(self, names: Sequence[str]) -> list[Field]:
        return [self._schema.require(n, wrong=InvalidQuery) for n in names]

    def _points_to_collapse(self, query: IndexQuery, group_key: str, order: Order) -> list[Point]:
        """All points of the set, with what decides about groups, order and facets."""
        keys = [*order.value_keys, group_key, *group_keys(self._schema)]
        for field in self._fields(query.facets):
            keys += facet_keys(field)
        return list(self._points.all(filter_of(query), payload=list(dict.fromkeys(keys))))


def _leaders(points: Sequence[Point], group_key: str) -> list[Point]:
    """The first point of each group and all without a group, in order."""
    seen: set[str] = set()
    leaders = []
    for point in points:
        group = group_of(point.payload, group_key)
        if group is None or group not in seen:
            leaders.append(point)
        if group is not None:
            seen.add(group)
    return leaders


@dataclass(frozen=True, slots=True)
class _Page:
    """The points of a page and the first of the next one, with total, matches and facets."""

    points: list[Point]
    total: int
    matching: int
    facets: dict[str, Facet]
