"""Answers as of one state: a page with its products, facets and counts, cached with the state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from operator import itemgetter
from sys import getsizeof
from time import perf_counter
from typing import TypeAlias

import numpy as np

from vitrine.errors import InvalidQuery
from vitrine.fields.schema import Schema
from vitrine.filters import Filter
from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.query.facets import count_facet
from vitrine.index.faiss.query.groups import groups_of_entries
from vitrine.index.faiss.query.paging import EntryPage, find_page
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.state import State
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken
from vitrine.products import Product
from vitrine.relevance import relevance_of
from vitrine.results import Facet, Hit

__all__ = ["Answers", "Replaced", "product_nbytes"]

ReadProducts: TypeAlias = Callable[[Sequence[int]], dict[int, tuple[Product, tuple[str, ...]]]]
"""Products and their image keys by the numbers of their writes; lacks those written again."""
_Sized: TypeAlias = tuple[Product, tuple[str, ...], int]
"""A product, its image keys, and how many bytes it takes."""

_ANSWER_NBYTES = 2000
"""Memory of an answer without its products, roughly."""
_PRODUCT_NBYTES = 1500
"""Memory of a product without its texts, roughly."""


class Replaced(Exception):
    """A product of the page has been replaced or deleted since the state was read."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers queries from one state."""

    state: State
    schema: Schema
    planner: Planner

    def answer(self, query: IndexQuery, read: ReadProducts) -> IndexAnswer:
        """The page of the query, its products read by the numbers of their writes.

        `timings_ms` has what its facets took, if they are new. `Replaced` when `read` lacks a
        product, which has been written again.
        """
        timings_ms: dict[str, float] = {}
        answer, _ = self.state.cache.get(
            _answer_key(query),
            partial(self._new_answer, query, read, timings_ms),
            nbytes=itemgetter(1),
        )
        return replace(answer, timings_ms=timings_ms)

    def count(self, filter: Filter) -> int:
        """How many products fulfill the filter."""

        def matching() -> int:
            return sum(int(np.count_nonzero(mask)) for mask in self.state.masks(filter))

        return self.state.cache.get(("matching", filter), matching)

    def facets(self, fields: Sequence[str], filter: Filter, values: int) -> dict[str, Facet]:
        """Counts over all products under the filter, at most `values` values of each field."""
        page = find_page(self.state, IndexQuery(filter=filter, limit=1), self.planner)
        return self._facets(fields, page, values)

    def _new_answer(
        self, query: IndexQuery, read: ReadProducts, timings_ms: dict[str, float]
    ) -> tuple[IndexAnswer, int]:
        """The page, and how many bytes it takes."""
        page = find_page(self.state, query, self.planner)
        products = self._products(page, read)
        hits = self._with_groups(_hits(page, query, products), page, query)
        started = perf_counter()
        facets = self._facets(query.facets, page, query.facet_values)
        timings_ms["facets"] = (perf_counter() - started) * 1e3
        answer = IndexAnswer(
            hits,
            page.total if query.page_token is None else query.page_token.total,
            facets,
            _next_token(self.state, query, page),
            page.search,
            self.count(query.filter),
            best_words=page.best_words[0] if page.best_words else 0.0,
            beyond=page.beyond,
        )
        return answer, _ANSWER_NBYTES + sum(nbytes for *_, nbytes in products)

    def _products(self, page: EntryPage, read: ReadProducts) -> list[_Sized]:
        """The products of the page's entries, from the cache or as `read` finds them."""

        def sized(seqs: Sequence[int]) -> dict[int, _Sized]:
            return {
                seq: (*written, product_nbytes(written[0])) for seq, written in read(seqs).items()
            }

        seqs = [int(entry.segment.seqs[entry.row]) for entry in page.entries]
        products = self.state.products.get_many(seqs, sized, nbytes=itemgetter(2))
        if len(products) < len(seqs):
            raise Replaced
        return [products[seq] for seq in seqs]

    def _with_groups(
        self, hits: tuple[Hit, ...], page: EntryPage, query: IndexQuery
    ) -> tuple[Hit, ...]:
        if query.collapse is None or query.collapse == ID or not hits:
            return hits
        groups = groups_of_entries(
            page.entries,
            page.selections(),
            collapse=query.collapse,
            fields=frozenset(field.name for field in self.schema),
        )
        return tuple(
            hit if group is None else replace(hit, group=group)
            for hit, group in zip(hits, groups, strict=True)
        )

    def _facets(self, fields: Sequence[str], page: EntryPage, values: int) -> dict[str, Facet]:
        if not fields:
            return {}
        selections = cache(page.selections)

        def counted(name: str) -> Facet:
            field = self.schema.require(name, wrong=InvalidQuery, where="facets")
            return count_facet(field, selections(), values=values)

        return {
            name: self.state.cache.get(("facet", page.key, name, values), partial(counted, name))
            for name in fields
        }


def _answer_key(query: IndexQuery) -> Hashable:
    """All that an answer depends on."""
    values = (getattr(query, field.name) for field in fields(query) if field.name != "vector")
    return ("answer", None if query.vector is None else query.vector.tobytes(), *values)


def _hits(page: EntryPage, query: IndexQuery, products: Sequence[_Sized]) -> tuple[Hit, ...]:
    scores = [entry.score for entry in page.entries]
    if query.fusion is not None:
        scores = relevance_of(np.asarray(scores, np.float64)).tolist()
    hits = []
    for (product, image_keys, _), entry, score in zip(products, page.entries, scores, strict=True):
        matched = None if query.vector is None else entry.image
        hits.append(Hit(product, score, image_keys, matched))
    return tuple(hits)


def _next_token(state: State, query: IndexQuery, page: EntryPage) -> PageToken | None:
    """Where the next page goes on; None when no entry follows."""
    if not page.more:
        return None
    last, token = page.entries[-1], query.page_token
    after = (last.value, last.segment.id(last.row))
    if token is None:
        return PageToken(
            state.seq, page.lowest_candidate, after, page.total, best_words=page.best_words
        )
    lowest = token.lowest_candidate or page.lowest_candidate
    return PageToken(token.as_of, lowest, after, token.total, best_words=token.best_words)


def product_nbytes(product: Product) -> int:
    """Memory of a product in bytes, roughly; a single text may take 400,000."""
    size = _PRODUCT_NBYTES + getsizeof(product.title) + getsizeof(product.description)
    for value in (product.codes, product.category, *product.attributes.values()):
        size += sum(map(getsizeof, value)) if isinstance(value, tuple) else getsizeof(value)
    return size
