"""Browsing: every product under the filter, page by page in the wanted order.

Pages, totals and facets come from Qdrant's own indexes, so their cost does not grow with the catalogue. Only a collapsed
set has to be gone through whole, because which product of a group comes first depends on all of them: there the ids,
keys and groups of all matching products (not the products) are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from time import perf_counter
from typing import Any

from qdrant_client import models

from vitrine.errors import InvalidQuery
from vitrine.fields.schema import Field, Schema
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken
from vitrine.index.qdrant.candidates import excluded, group_of
from vitrine.index.qdrant.facets import facet_of, facet_of_payloads
from vitrine.index.qdrant.filters import every, translate
from vitrine.index.qdrant.ordering import Order, Place
from vitrine.index.qdrant.payload import ID, SEQ, facet_keys, product_of, value_key
from vitrine.index.qdrant.points import Points
from vitrine.results import Facet, Hit

__all__ = ["Browsing"]


class Browsing:
    """Answers queries that have no vector."""

    def __init__(self, points: Points, schema: Schema) -> None:
        self._points = points
        self._schema = schema

    def answer(self, query: IndexQuery, *, as_of: int) -> IndexAnswer:
        """One page; see `IndexQuery`."""
        matching = self._points.count(every(translate(query.filter)))
        order = Order(query.sort, self._schema)
        after = None if query.page_token is None else order.checked(query.page_token.search_after)
        # further pages see nothing that was written after the first one
        bound = (
            None
            if query.page_token is None
            else models.FieldCondition(key=SEQ, range=models.Range(lte=as_of))
        )
        where = [c for c in (translate(query.filter), excluded(query), bound) if c is not None]
        collapse = None if query.collapse in (None, ID) else query.collapse
        if collapse is None:
            total = (
                self._points.count(every(*where))
                if query.page_token is None
                else query.page_token.total
            )
            page = list(
                islice(
                    order.stream(self._points.fetcher(where), after, query.limit + 1),
                    query.limit + 1,
                )
            )
            started = perf_counter()
            facets = {
                f.name: facet_of(f, self._points, where, values=query.facet_values)
                for f in self._fields(query.facets)
            }
        else:
            members = self._collapsed(query, collapse, order, where)
            total = len(members) if query.page_token is None else query.page_token.total
            page = self._page(members, order, after, query.limit + 1)
            started = perf_counter()
            facets = {
                f.name: facet_of_payloads(
                    f, [p.payload for p in members], values=query.facet_values
                )
                for f in self._fields(query.facets)
            }
        facets_ms = (perf_counter() - started) * 1e3
        shown = page[: query.limit]
        next_token = (
            PageToken(as_of, None, order.place(shown[-1].payload), total)
            if len(page) > query.limit
            else None
        )
        hits = tuple(
            Hit(product_of(p.payload, self._schema), None, p.payload["_image_key"]) for p in shown
        )
        return IndexAnswer(
            hits, total, facets, next_token, "browse", matching, {"facets": facets_ms}
        )

    def facets(
        self, names: Sequence[str], condition: models.Condition | None, *, values: int
    ) -> dict[str, Facet]:
        """Counts over all products that fulfil the condition."""
        where = [] if condition is None else [condition]
        return {
            f.name: facet_of(f, self._points, where, values=values) for f in self._fields(names)
        }

    def _fields(self, names: Sequence[str]) -> list[Field]:
        return [self._schema.require(n, wrong=InvalidQuery) for n in names]

    def _collapsed(
        self, query: IndexQuery, collapse: str, order: Order, where: list[models.Condition]
    ) -> list[Any]:
        """The first point of each group and all without a group, in order."""
        group_key = value_key(self._schema.require(collapse, wrong=InvalidQuery))
        keys = [
            *order.value_keys,
            group_key,
            *(key for f in self._fields(query.facets) for key in facet_keys(f)),
        ]
        seen: set[str] = set()
        kept = []
        for point in order.sorted(
            list(self._points.all(every(*where), payload=list(dict.fromkeys(keys)))),
            lambda p: p.payload,
        ):
            group = group_of(point.payload, group_key)
            if group is None or group not in seen:
                kept.append(point)
            if group is not None:
                seen.add(group)
        return kept

    def _page(self, members: list[Any], order: Order, after: Place | None, limit: int) -> list[Any]:
        rest = members if after is None else [p for p in members if order.follows(p.payload, after)]
        ids = [p.payload[ID] for p in rest[:limit]]
        found = self._points.get(ids)
        return [found[i] for i in ids if i in found]
