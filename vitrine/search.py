"""The search engine: a query becomes one vector, the index answers with one candidate set, the page tells how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
from PIL.Image import Image

from vitrine.cursors import Cursor, query_digest
from vitrine.errors import FieldError, InvalidCursor, InvalidQuery, NotFound
from vitrine.fields.schema import Schema
from vitrine.index import IndexAnswer, IndexQuery, VectorIndex
from vitrine.products import Record, Vector
from vitrine.queries import SearchQuery
from vitrine.results import Hit, Page, Plan
from vitrine.serving import LiveIndex, Serving
from vitrine.settings import Settings
from vitrine.vectors import Part, combine

__all__ = ["SearchEngine"]


class SearchEngine:
    """Answers queries from the live version; safe to call from several threads."""

    def __init__(self, live: LiveIndex, settings: Settings) -> None:
        self._live = live
        self._settings = settings

    @property
    def schema(self) -> Schema:
        """The fields of the live catalogue."""
        return self._live.current().index.info.schema

    def search(self, query: SearchQuery) -> Page:
        """One page of what the query asks for.

        Raises `InvalidQuery`, `InvalidFilter` or `InvalidCursor` for what the caller can mend; `NoLiveVersion`,
        `IndexUnavailable`, `ModelUnavailable` or `ModelMismatch` when no answer can be had now.
        """
        started = perf_counter()
        self._check_limits(query)
        cursor = Cursor.decode(query.cursor, query) if query.cursor else None
        serving = self._serving(cursor)
        _check_fields(query, serving.index.info.schema)
        parts = [] if cursor and not query.explain else self._parts(query, serving)
        vector = cursor.vector if cursor else combine(parts) if parts else None
        if vector is not None and vector.shape != (serving.index.info.dimension,):
            raise InvalidCursor.of("cursor", "is damaged; its vector does not fit the index")
        embedded = perf_counter()
        answer = serving.index.search(self._index_query(query, vector, cursor))
        hits = (
            _explained(answer.hits, parts, serving.index)
            if query.explain and vector is not None
            else answer.hits
        )
        finished = perf_counter()
        facets_ms = answer.timings_ms.get("facets", 0.0)
        timings = {
            "embed": (embedded - started) * 1e3,
            "search": (finished - embedded) * 1e3 - facets_ms,
            "facets": facets_ms,
            "total": (finished - started) * 1e3,
        }
        return _page(query, replace(answer, hits=hits), serving, vector, timings)

    def search_pictures(self, pictures: Sequence[Image], query: SearchQuery) -> list[Page]:
        """For each picture the products that look like it, under the query's filter: one embedding for all pictures together."""
        if not query.browses or query.cursor:
            raise InvalidQuery.of(
                "query", "brings filter, limit and sort only; the pictures are what is searched for"
            )
        self._check_limits(query)
        serving = self._live.current()
        _check_fields(query, serving.index.info.schema)
        started = perf_counter()
        vectors = serving.embedder.embed_images(pictures)
        embed_ms = (perf_counter() - started) * 1e3 / max(len(pictures), 1)
        pages = []
        for picture, vector in zip(pictures, vectors, strict=True):
            started = perf_counter()
            answer = serving.index.search(self._index_query(query, vector, None))
            search_ms = (perf_counter() - started) * 1e3
            timings = {"embed": embed_ms, "search": search_ms, "total": embed_ms + search_ms}
            pages.append(_page(replace(query, image=picture), answer, serving, vector, timings))
        return pages

    def similar(self, product_id: str, query: SearchQuery) -> Page:
        """The products that look like one product, never itself; `query` brings filter, limit and sort. `NotFound` for an unknown id."""
        self.product(product_id)
        return self.search(replace(query, like=(product_id,), exclude=(product_id,)))

    def product(self, product_id: str) -> Record:
        """The record of one product of the live version; `NotFound` for an unknown id."""
        found = self._live.current().index.get([product_id])
        if product_id not in found:
            raise NotFound(f"there is no product {product_id!r}")
        return found[product_id]

    def _serving(self, cursor: Cursor | None) -> Serving:
        if cursor is None:
            return self._live.current()
        try:
            return self._live.of(cursor.version)
        except NotFound:
            raise InvalidCursor.of(
                "cursor", "has expired, the index was rebuilt; leave it out for the first page"
            ) from None

    def _check_limits(self, query: SearchQuery) -> None:
        limits = self._settings
        faults = []
        if query.limit > limits.max_limit:
            faults.append(FieldError("limit", f"must be from 1 to {limits.max_limit}"))
        if query.candidates > limits.max_candidates:
            faults.append(FieldError("candidates", f"must be from 1 to {limits.max_candidates}"))
        if len(query.texts) > limits.max_texts:
            faults.append(FieldError("text", f"has more than {limits.max_texts} parts"))
        if any(len(t.text) > limits.max_text_chars for t in query.texts):
            faults.append(FieldError("text", f"is longer than {limits.max_text_chars} characters"))
        if len(query.like) + len(query.unlike) > limits.max_examples:
            faults.append(
                FieldError("like", f"like and unlike name more than {limits.max_examples} products")
            )
        if faults:
            raise InvalidQuery(faults)

    def _parts(self, query: SearchQuery, serving: Serving) -> list[Part]:
        found: list[Part] = []
        if query.texts:
            rows = serving.embedder.embed_texts([t.text for t in query.texts])
            found += [
                Part(f"text: {t.text}", t.weight * query.text_weight, row)
                for t, row in zip(query.texts, rows, strict=True)
            ]
        if query.image is not None:
            found.append(
                Part("image", query.image_weight, serving.embedder.embed_images([query.image])[0])
            )
        if query.like or query.unlike:
            found += _examples(query, serving.index)
        return found

    def _index_query(
        self, query: SearchQuery, vector: Vector | None, cursor: Cursor | None
    ) -> IndexQuery:
        return IndexQuery(
            vector=vector,
            filter=query.filter,
            candidates=query.candidates,
            min_score=query.min_score,
            exclude=frozenset(query.exclude),
            sort=query.sort,
            collapse=query.collapse,
            facets=query.facets,
            facet_values=self._settings.facet_values,
            limit=query.limit,
            page_token=cursor.token if cursor else None,
        )


def _examples(query: SearchQuery, index: VectorIndex) -> list[Part]:
    records = index.get([*query.like, *query.unlike])
    wanted = (("like", query.like, 1.0), ("unlike", query.unlike, -1.0))
    faults = [
        FieldError(name, f"there is no product {i!r}")
        for name, ids, _ in wanted
        for i in ids
        if i not in records
    ]
    if faults:
        raise InvalidQuery(faults)
    return [
        Part(f"{name}: {i}", weight, records[i].vector) for name, ids, weight in wanted for i in ids
    ]


def _check_fields(query: SearchQuery, schema: Schema) -> None:
    for name in query.facets:
        field = schema.require(name, wrong=InvalidQuery, where="facets")
        if not field.facet:
            raise InvalidQuery.of(
                "facets", f"{name!r} cannot be counted; allowed: {', '.join(schema.facets)}"
            )
    if query.sort.field is not None and query.sort.field not in schema.sorts:
        allowed = ", ".join(["relevance", *(f"{s}, -{s}" for s in schema.sorts)])
        raise InvalidQuery.of("sort", f"cannot sort by {query.sort.field!r}; allowed: {allowed}")
    if query.collapse is not None:
        field = schema.require(query.collapse, wrong=InvalidQuery, where="collapse")
        if field.type != "keyword":
            raise InvalidQuery.of("collapse", f"{query.collapse!r} is not a keyword field")


def _explained(hits: tuple[Hit, ...], parts: list[Part], index: VectorIndex) -> tuple[Hit, ...]:
    """Give every hit each part's share of its score; the shares of one hit add up to the score."""
    length = float(
        np.linalg.norm(np.sum([p.weight * p.vector.astype(np.float64) for p in parts], axis=0))
    )
    records = index.get([hit.product.id for hit in hits])
    return tuple(
        replace(
            hit,
            explain={
                p.name: round(
                    p.weight * float(p.vector @ records[hit.product.id].vector) / length, 6
                )
                for p in parts
            },
        )
        if hit.product.id in records
        else hit
        for hit in hits
    )


def _page(
    query: SearchQuery,
    answer: IndexAnswer,
    serving: Serving,
    vector: Vector | None,
    timings: dict[str, float],
) -> Page:
    info = serving.index.info
    cursor = (
        None
        if answer.next_token is None
        else Cursor(info.name, query_digest(query), answer.next_token, vector).encode()
    )
    truncated = any(serving.embedder.truncates(t.text) for t in query.texts)
    return Page(
        hits=answer.hits,
        total=answer.total,
        facets=answer.facets,
        next_cursor=cursor,
        plan=Plan(answer.search, answer.matching, truncated),
        version=info.name,
        model=info.model,
        backend=info.backend,
        timings_ms={name: round(ms, 3) for name, ms in timings.items()},
    )
