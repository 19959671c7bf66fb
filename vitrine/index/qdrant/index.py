"""One index version in Qdrant: a collection."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from qdrant_client import models

from vitrine.errors import InvalidQuery
from vitrine.fields.colors import ColorWords
from vitrine.filters import MATCH_ALL, Filter
from vitrine.index.checks import (
    check_facets,
    check_filter,
    check_product,
    check_query,
    check_record,
)
from vitrine.index.fusion import SearchModel
from vitrine.index.patching import patched
from vitrine.index.ports import IndexAnswer, IndexQuery, Stamp, VersionInfo
from vitrine.index.qdrant import clock
from vitrine.index.qdrant.browsing import Browsing
from vitrine.index.qdrant.candidates import CandidateSearch
from vitrine.index.qdrant.filters import every, folded, translate
from vitrine.index.qdrant.fused import FusedSearch
from vitrine.index.qdrant.payload import (
    ID,
    KEYS,
    SEQ,
    STAMP_KEYS,
    payload_of,
    point_id,
    record_of,
    stamp_of,
)
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.point import WORDS, NewPoint, Rows, SparseRow
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.pool import PoolSearch
from vitrine.index.qdrant.product_words import ProductWords, sparse_row
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.rewriting import Rewriter
from vitrine.index.qdrant.search_models import StoredModel
from vitrine.products import Product, Record, Value
from vitrine.results import Facet
from vitrine.settings import QdrantSettings

__all__ = ["QdrantIndex"]


class QdrantIndex:
    """A version that is open; see `VectorIndex`.

    Any number of processes may have it open and write to it.
    """

    def __init__(
        self, points: Points, info: VersionInfo, settings: QdrantSettings, model: StoredModel
    ) -> None:
        self.info = info
        self._model = model
        self._points = points
        graph = settings.qdrant_hnsw_m > 0
        plans = PlanMemory(exact_below=settings.qdrant_exact_below if graph else sys.maxsize)
        self._searching = CandidateSearch(points, info.schema, plans)
        pools = PoolSearch(points, plans, texts=info.text_vectors, shards=settings.qdrant_shards)
        self._fused = FusedSearch(points, self._searching, pools)
        self._browsing = Browsing(points, info.schema)
        self._words = ProductWords(info) if info.words else None
        self._rewriter = Rewriter(points, info, self._words_of, copies=settings.qdrant_replicas)

    @property
    def search_model(self) -> SearchModel | None:
        """What the version has learnt, at most a second old; None before, and in versions made
        before words were kept."""
        return self._model.current() if self.info.words else None

    def upsert(self, records: Sequence[Record]) -> None:
        """Insert or replace whole records; one operation of Qdrant, so all or none."""
        for record in records:
            check_record(record, self.info)
        last = {record.product.id: record for record in records}
        if last:
            self._points.upsert([self._point(record) for record in last.values()])

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        """Change fields and keep the vectors; `NotFound` for an unknown id."""
        schema, words = self.info.schema, ColorWords.of_mapping(self.info.mapping)
        self._rewriter.rewrite(
            [product_id], lambda product: patched(product, changes, schema, color_words=words)
        )

    def patch_products(self, products: Sequence[Product]) -> None:
        """Replace all fields of known products.

        `NotFound` names the unknown ids, and nothing is written.
        """
        for product in products:
            check_product(product, self.info.schema)
        last = {product.id: product for product in products}
        self._rewriter.rewrite(list(last), lambda product: last[product.id])

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; returns how many there were."""
        known = self._points.get(product_ids, payload=False)
        if known:
            self._points.delete(known)
        return len(known)

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        """The records of the ids that exist."""
        points = self._points.get(product_ids, vectors=self._points.layout.names)
        return {i: record_of(point, self.info.schema) for i, point in points.items()}

    def stamps(self, product_ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of the ids that exist."""
        return {
            i: stamp_of(point.payload)
            for i, point in self._points.get(product_ids, payload=STAMP_KEYS).items()
        }

    def search(self, query: IndexQuery) -> IndexAnswer:
        """One page of the query's candidate set."""
        check_query(query, dimension=self.info.dimension, schema=self.info.schema)
        as_of = clock.now() if query.page_token is None else query.page_token.as_of
        query = replace(query, filter=self._stored(query.filter))
        if query.fusion is not None:
            if not self.info.words:
                raise InvalidQuery.of(
                    "ranking", "by words is not possible; this version keeps no words"
                )
            return self._fused.answer(query, query.fusion, as_of=as_of)
        if query.vector is None:
            return self._browsing.answer(query, as_of=as_of)
        return self._searching.answer(query, query.vector, as_of=as_of)

    def count(self, filter: Filter = MATCH_ALL) -> int:
        """How many products fulfill the filter, exactly."""
        check_filter(filter, self.info.schema)
        return self._points.count(every(translate(self._stored(filter))))

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        """Counts over all products under the filter."""
        check_filter(filter, self.info.schema)
        check_facets(fields, self.info.schema)
        return self._browsing.facets(fields, translate(self._stored(filter)), values=values)

    def terms_in_use(self, term_ids: Collection[int]) -> frozenset[int]:
        """Those that some product has; one request."""
        ids = sorted(term_ids) if self.info.words else []
        row = np.ones(1, np.float32)
        searches = [
            NearestQuery(SparseRow(np.array([i], np.uint32), row), None, limit=1, using=WORDS)
            for i in ids
        ]
        matched = zip(ids, self._points.nearest_each(searches), strict=True)
        return frozenset(i for i, points in matched if points)

    def scan(
        self, *, after: str | None = None, upto: str | None = None, batch: int = 256
    ) -> Iterator[list[Record]]:
        """All records in batches, in the order of their points' ids."""
        for points in self._points.scan(after=after, upto=upto, batch=batch, fields="records"):
            yield [record_of(point, self.info.schema) for point in points]

    def scan_ids(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[str]]:
        """All ids in batches, in the order of their points' ids."""
        for points in self._points.scan(after=after, batch=batch):
            yield [str(point.payload[ID]) for point in points]

    def mark(self) -> int:
        """This moment, by this machine's clock."""
        return clock.now()

    def count_written(self, mark: int) -> int:
        """How many products were last written after a moment."""
        after = models.FieldCondition(key=SEQ, range=models.Range(gt=mark))
        return self._points.count(models.Filter(must=[after]))

    def written_since(self, mark: int, *, batch: int = 256) -> Iterator[list[Record]]:
        """The records last written after a moment, less what clocks of other machines may
        differ."""
        since = models.Range(gt=mark - clock.DIFFERENCE)
        where = models.Filter(must=[models.FieldCondition(key=SEQ, range=since)])
        points = self._points.all(where, vectors=self._points.layout.names)
        while batch_of := list(islice(points, batch)):
            yield [record_of(point, self.info.schema) for point in batch_of]

    def close(self) -> None:
        """Nothing to release: the versions own the connection."""

    def _stored(self, tree: Filter) -> Filter:
        """The filter as the version's payloads are compared: those made before words were kept hold
        texts as they were written."""
        return folded(tree) if self.info.words else tree

    def _point(self, record: Record) -> NewPoint:
        payload = payload_of(record, self.info, seq=clock.now())
        vectors: dict[str, Rows | SparseRow] = {**self._points.layout.vectors_of(record)}
        keys, words = self._words_of(record.product)
        if words is not None:
            vectors[WORDS] = words
        return NewPoint(point_id(record.product.id), payload | keys, vectors)

    def _words_of(self, product: Product) -> tuple[dict[str, object], SparseRow | None]:
        """What the payload and the vectors hold of a product's words; nothing in versions made
        before words were kept."""
        if self._words is None:
            return {}, None
        document = self._words.of(product)
        return {KEYS: list(document.exact_keys)}, sparse_row(document)
