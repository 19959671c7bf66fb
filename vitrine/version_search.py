"""Searching one opened version: a query becomes one vector, the index answers with one set of
candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
from PIL.Image import Image

from vitrine.cursors import Cursor, query_digest
from vitrine.embedding import Embedder
from vitrine.errors import FieldError, InvalidCursor, InvalidInput, InvalidQuery, NotFound
from vitrine.fields.schema import Schema
from vitrine.filters import All, Filter, parse_filter
from vitrine.index import IndexAnswer, IndexQuery, VectorIndex
from vitrine.products import Record, Vector
from vitrine.queries import SearchQuery
from vitrine.results import FacetValue, Hit, Page, Plan, ValueFacet
from vitrine.serving import Serving
from vitrine.settings import LimitSettings
from vitrine.signing import Signer
from vitrine.vectors import WeightedVector, combine
from vitrine.words import fold

__all__ = ["VersionSearch"]

Records = Mapping[str, Record]

MAX_FACET_SEARCH = 10_000
"""Values of a field that are looked through for a part of one."""


class VersionSearch:
    """One index version with the model that understands it, for the time of one request."""

    def __init__(self, serving: Serving, settings: LimitSettings, signer: Signer) -> None:
        self._serving = serving
        self._settings = settings
        self._signer = signer
        self._texts: dict[str, Vector] = {}
        """Vectors of texts that were embedded together."""

    @property
    def schema(self) -> Schema:
        """The fields of this version's catalogue."""
        return self.index.info.schema

    @property
    def index(self) -> VectorIndex:
        """The version itself."""
        return self._serving.index

    @property
    def embedder(self) -> Embedder:
        """The model that made the version's vectors."""
        return self._serving.embedder

    def search(self, query: SearchQuery) -> Page:
        """One page of what the query asks for.

        Raises `InvalidQuery`, `InvalidFilter` or `InvalidCursor` for what the caller can fix, and
        what `VectorIndex.search` and `Embedder.embed_texts` raise.
        """
        return self._search(query, {})

    def search_images(self, images: Sequence[Image], query: SearchQuery) -> list[Page]:
        """For each image the products that look like it, all images embedded together.

        `query` brings filter, sort and limit only.
        """
        if not query.browses or query.cursor:
            raise InvalidQuery.of(
                "query", "brings filter, limit and sort only; the pictures are what is searched for"
            )
        self._check_limits(query)
        started = perf_counter()
        vectors = self.embedder.embed_images(images)
        embed_ms = (perf_counter() - started) * 1e3 / max(len(images), 1)
        pages = []
        for image, vector in zip(images, vectors, strict=True):
            started = perf_counter()
            answer = self.index.search(self._index_query(query, vector, None))
            search_ms = (perf_counter() - started) * 1e3
            timings = {"embed": embed_ms, "search": search_ms, "total": embed_ms + search_ms}
            pages.append(self._page(replace(query, image=image), answer, vector, timings))
        return pages

    def search_batch(self, queries: Sequence[SearchQuery]) -> list[Page]:
        """One page for each query, the texts of all embedded together.

        An error names the query as `searches[n]`, n from 0, before the field.
        """
        texts = list(dict.fromkeys(t.text for query in queries for t in query.texts))
        for number, query in enumerate(queries):
            with InvalidInput.within(f"searches[{number}]"):
                self._check_limits(query)
        if texts:
            self._texts = dict(zip(texts, self.embedder.embed_texts(texts), strict=True))
        pages = []
        for number, query in enumerate(queries):
            with InvalidInput.within(f"searches[{number}]"):
                pages.append(self.search(query))
        return pages

    def facet_values(
        self, field: str, part: str, filter: Filter, *, limit: int
    ) -> tuple[list[FacetValue], bool]:
        """The values of a field that contain `part` (folded), the most frequent first.

        Also whether there are more of them. `InvalidQuery` for a field that is not counted by
        value; `MAX_FACET_SEARCH` values are looked through.
        """
        facet = self.index.facet([field], filter, values=MAX_FACET_SEARCH)[field]
        if not isinstance(facet, ValueFacet):
            raise InvalidQuery.of("field", f"{field!r} is counted by ranges, not by values")
        folded = fold(part)
        matching = [value for value in facet.values if folded in fold(str(value.value))]
        return matching[:limit], len(matching) > limit or facet.distinct > MAX_FACET_SEARCH

    def similar(self, product_id: str, query: SearchQuery) -> Page:
        """The products that look like one product, never itself; `NotFound` for an unknown id.

        `query` brings filter, limit and sort. The product's own group, its sizes and colors, is
        left out but with `own_group`.
        """
        record = self.product(product_id)
        condition = query.filter
        group = record.product.group_id
        if group is not None and not query.own_group:
            other_groups = parse_filter({"not": {"group_id": group}}, self.schema)
            condition = All((condition, other_groups))
        example = replace(query, like=(product_id,), exclude=(product_id,), filter=condition)
        return self._search(example, {product_id: record})

    def product(self, product_id: str) -> Record:
        """The record of one product; `NotFound` for an unknown id."""
        records = self.index.get([product_id])
        if product_id not in records:
            raise NotFound(f"there is no product {product_id!r}")
        return records[product_id]

    def _search(self, query: SearchQuery, records: Records) -> Page:
        started = perf_counter()
        self._check_limits(query)
        cursor = Cursor.decode(query.cursor, query, self._signer) if query.cursor else None
        parts = [] if cursor and not query.explain else self._parts(query, records)
        vector = cursor.vector if cursor else combine(parts) if parts else None
        if vector is not None and vector.shape != (self.index.info.dimension,):
            raise InvalidCursor.of("cursor", "is damaged; its vector does not fit the index")
        embedded = perf_counter()
        answer = self.index.search(self._index_query(query, vector, cursor))
        if query.explain and vector is not None:
            answer = replace(answer, hits=_explained(answer.hits, parts, self.index))
        finished = perf_counter()
        facets_ms = answer.timings_ms.get("facets", 0.0)
        timings = {
            "embed": (embedded - started) * 1e3,
            "search": (finished - embedded) * 1e3 - facets_ms,
            "facets": facets_ms,
            "total": (finished - started) * 1e3,
        }
        return self._page(query, answer, vector, timings)

    def _parts(self, query: SearchQuery, records: Records) -> list[WeightedVector]:
        parts: list[WeightedVector] = []
        if query.texts:
            rows = self._embedded([t.text for t in query.texts])
            parts += [
                WeightedVector(f"text: {t.text}", t.weight * query.text_weight, row)
                for t, row in zip(query.texts, rows, strict=True)
            ]
        if query.image is not None:
            row = self.embedder.embed_images([query.image])[0]
            parts.append(WeightedVector("image", query.image_weight, row))
        if query.like or query.unlike:
            parts += _examples(query, records or self.index.get([*query.like, *query.unlike]))
        return parts

    def _embedded(self, texts: Sequence[str]) -> Sequence[Vector]:
        if self._texts.keys() >= set(texts):
            return [self._texts[text] for text in texts]
        return list(self.embedder.embed_texts(texts))

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

    def _index_query(
        self, query: SearchQuery, vector: Vector | None, cursor: Cursor | None
    ) -> IndexQuery:
        return IndexQuery(
            vector=vector,
            filter=query.filter,
            candidates=query.candidates,
            min_score=query.min_score,
            exclude=frozenset((*query.exclude, *(() if query.include_examples else query.like))),
            sort=query.sort,
            collapse=query.collapse,
            facets=query.facets,
            facet_values=self._settings.facet_values,
            limit=query.limit,
            page_token=cursor.token if cursor else None,
        )

    def _page(
        self,
        query: SearchQuery,
        answer: IndexAnswer,
        vector: Vector | None,
        timings: Mapping[str, float],
    ) -> Page:
        info = self.index.info
        cursor = None
        if answer.next_token is not None:
            token = Cursor(info.name, query_digest(query), answer.next_token, vector)
            cursor = token.encode(self._signer)
        truncated = any(self.embedder.truncates(t.text) for t in query.texts)
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


def _examples(query: SearchQuery, records: Records) -> list[WeightedVector]:
    examples = [("like", i, 1.0) for i in query.like] + [("unlike", i, -1.0) for i in query.unlike]
    faults = [
        FieldError(name, f"there is no product {product_id!r}")
        for name, product_id, _ in examples
        if product_id not in records
    ]
    if faults:
        raise InvalidQuery(faults)
    return [
        WeightedVector(f"{name}: {product_id}", weight, records[product_id].vector)
        for name, product_id, weight in examples
    ]


def _explained(
    hits: tuple[Hit, ...], parts: list[WeightedVector], index: VectorIndex
) -> tuple[Hit, ...]:
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
