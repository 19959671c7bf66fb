"""One version of the embedded index: the `VectorIndex` over SQLite and what is derived from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache, partial
from operator import itemgetter
from time import perf_counter
from typing import TypeAlias

import numpy as np

from vitrine.errors import InvalidQuery, NotFound
from vitrine.fields.colors import ColorWords
from vitrine.filters import MATCH_ALL, Filter
from vitrine.freed_memory import give_back_freed_memory
from vitrine.index.checks import (
    check_facets,
    check_filter,
    check_product,
    check_query,
    check_record,
)
from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.query.facets import count_facet
from vitrine.index.faiss.query.groups import groups_of_entries
from vitrine.index.faiss.query.paging import EntryPage, find_page
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.reader import StateReader
from vitrine.index.faiss.records.search_model import SearchModelFile
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.sizes import ANSWER_NBYTES, product_nbytes
from vitrine.index.faiss.snapshots.compaction import Compactor
from vitrine.index.fusion import SearchModel
from vitrine.index.patching import patched
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken, Stamp, VersionInfo
from vitrine.products import Product, Record, Value
from vitrine.relevance import relevance_of
from vitrine.results import Facet, Hit

__all__ = ["FaissIndex"]

_ReadProducts: TypeAlias = Callable[[Sequence[int]], dict[int, tuple[Product, tuple[str, ...]]]]
"""Products and their image keys by the numbers of their writes; lacks those written again."""
_Sized: TypeAlias = tuple[Product, tuple[str, ...], int]
"""A product, its image keys, and how many bytes it takes."""


class _Replaced(Exception):
    """A product of the page has been replaced or deleted since the state was read."""


def _answer_key(query: IndexQuery) -> Hashable:
    """All that an answer depends on."""
    values = (getattr(query, field.name) for field in fields(query) if field.name != "vector")
    return ("answer", None if query.vector is None else query.vector.tobytes(), *values)


class FaissIndex:
    """Reads follow the record store, writes go to it; safe to call from several threads."""

    def __init__(
        self,
        info: VersionInfo,
        store: RecordStore,
        reader: StateReader,
        *,
        planner: Planner,
        compactor: Compactor,
        search_models: SearchModelFile,
    ) -> None:
        self._info = info
        self.store = store
        self._reader = reader
        self._planner = planner
        self._compactor = compactor
        self._search_models = search_models

    @property
    def search_model(self) -> SearchModel | None:
        """What the version has learnt; read again when another one was put in its place."""
        return self._search_models.current()

    @property
    def info(self) -> VersionInfo:
        """Name, schema and fingerprint of this version, as it was opened."""
        return self._info

    def upsert(self, records: Sequence[Record]) -> None:
        """Insert or replace whole records; `InvalidProduct` or `ModelMismatch` for a bad one."""
        for record in records:
            check_record(record, self.info)
        if records:
            self.store.upsert(records)

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        """Change fields and keep the vector."""

        words = ColorWords.of_mapping(self.info.mapping)

        def change(product: Product) -> Product:
            changed = patched(product, changes, self.info.schema, color_words=words)
            check_product(changed, self.info.schema)
            return changed

        if not self.store.update(product_id, change):
            raise NotFound(f"there is no product {product_id!r}")

    def patch_products(self, products: Sequence[Product]) -> None:
        """Replace all fields of known products."""
        for product in products:
            check_product(product, self.info.schema)
        unknown = self.store.replace_products(products)
        if unknown:
            raise NotFound(f"there is no product {', '.join(map(repr, unknown[:10]))}")

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; returns how many there were."""
        return self.store.delete(product_ids)

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        """The records of the ids that exist."""
        return self.store.get(product_ids)

    def stamps(self, product_ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of the ids that exist."""
        return self.store.stamps(product_ids)

    def search(self, query: IndexQuery) -> IndexAnswer:
        """One page of the query's candidate set."""
        check_query(query, dimension=self.info.dimension, schema=self.info.schema)
        state = self._reader.current()
        self._compactor.maybe_compact(state)
        with suppress(_Replaced):
            return self._answer(state, query, self.store.products_written)
        # A view kept open for every answer would let the write-ahead log grow under load; where a
        # product was replaced in between, only one that shows the state's own records is sure.
        with self._reader.view() as (state, records):
            return self._answer(state, query, records.products_written)

    def _answer(self, state: State, query: IndexQuery, read: _ReadProducts) -> IndexAnswer:
        """The page as of this state, cached; notes what its facets took if they are new."""
        timings_ms: dict[str, float] = {}
        answer, _ = state.cache.get(
            _answer_key(query),
            partial(self._new_answer, state, query, read, timings_ms),
            nbytes=itemgetter(1),
        )
        return replace(answer, timings_ms=timings_ms)

    def _new_answer(
        self, state: State, query: IndexQuery, read: _ReadProducts, timings_ms: dict[str, float]
    ) -> tuple[IndexAnswer, int]:
        """The page, its products as `read` finds them by the numbers of their writes, and how many
        bytes it takes.

        `_Replaced` when it lacks one, which has been written again.
        """
        page = find_page(state, query, self._planner)
        products = _products(state, page, read)
        hits = self._with_groups(_hits(page, query, products), page, query)
        started = perf_counter()
        facets = self._facets(state, query.facets, page, query.facet_values)
        timings_ms["facets"] = (perf_counter() - started) * 1e3
        answer = IndexAnswer(
            hits,
            page.total if query.page_token is None else query.page_token.total,
            facets,
            _next_token(state, query, page),
            page.search,
            self._matching(state, query.filter),
            best_words=page.best_words[0] if page.best_words else 0.0,
            beyond=page.beyond,
        )
        return answer, ANSWER_NBYTES + sum(nbytes for *_, nbytes in products)

    def _with_groups(
        self, hits: tuple[Hit, ...], page: EntryPage, query: IndexQuery
    ) -> tuple[Hit, ...]:
        if query.collapse is None or query.collapse == ID or not hits:
            return hits
        groups = groups_of_entries(
            page.entries,
            page.selections(),
            collapse=query.collapse,
            fields=frozenset(field.name for field in self.info.schema),
        )
        return tuple(
            hit if group is None else replace(hit, group=group)
            for hit, group in zip(hits, groups, strict=True)
        )

    def count(self, filter: Filter = MATCH_ALL) -> int:
        """How many products fulfill the filter."""
        if filter == MATCH_ALL:
            return self.store.count()
        check_filter(filter, self.info.schema)
        return self._matching(self._reader.current(), filter)

    @staticmethod
    def _matching(state: State, filter: Filter) -> int:
        def matching() -> int:
            return sum(int(np.count_nonzero(mask)) for mask in state.masks(filter))

        return state.cache.get(("matching", filter), matching)

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        """Counts over all products under the filter."""
        check_facets(fields, self.info.schema)
        check_filter(filter, self.info.schema)
        state = self._reader.current()
        page = find_page(state, IndexQuery(filter=filter, limit=1), self._planner)
        return self._facets(state, fields, page, values)

    def _facets(
        self, state: State, fields: Sequence[str], page: EntryPage, values: int
    ) -> dict[str, Facet]:
        if not fields:
            return {}
        selections = cache(page.selections)

        def counted(name: str) -> Facet:
            field = self.info.schema.require(name, wrong=InvalidQuery, where="facets")
            return count_facet(field, selections(), values=values)

        return {
            name: state.cache.get(("facet", page.key, name, values), partial(counted, name))
            for name in fields
        }

    def terms_in_use(self, term_ids: Collection[int]) -> frozenset[int]:
        """Those of the term ids that the words of some product have."""
        segments = self._reader.current().segments
        return frozenset(
            term
            for term in term_ids
            if any(e.live[e.segment.words.rows_of(term)].any() for e in segments)
        )

    def scan(
        self, *, after: str | None = None, upto: str | None = None, batch: int = 256
    ) -> Iterator[list[Record]]:
        """All records in batches ordered by id."""
        return self.store.scan(after=after, upto=upto, batch=batch)

    def scan_ids(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[str]]:
        """All ids in batches, in order."""
        return self.store.scan_ids(after=after, batch=batch)

    def mark(self) -> int:
        """The number of the last write."""
        return self.store.last_write()

    def count_written(self, mark: int) -> int:
        """How many products were last written after a write's number."""
        return self.store.count_written(mark)

    def written_since(self, mark: int, *, batch: int = 256) -> Iterator[list[Record]]:
        """The records last written after a write's number, in the order of writes."""
        return self.store.written_since(mark, batch=batch)

    def compact(self) -> None:
        """Make the derived files that let other processes start quickly."""
        self._compactor.compact(self._compact_state)
        self._reader.take_snapshot()
        give_back_freed_memory()

    def _compact_state(self) -> State:
        state = self._reader.current()
        give_back_freed_memory()  # what reading all records took should not come on top
        return state

    def device_bytes(self) -> int:
        """Memory that the vectors take on the device that searches them."""
        state = self._reader.current()
        return sum(entry.segment.device_bytes for entry in state.segments)

    def close(self) -> None:
        """Release files and memory; may be called twice."""
        self._compactor.close()
        self._reader.close()
        self.store.close()


def _products(state: State, page: EntryPage, read: _ReadProducts) -> list[_Sized]:
    """The products of the page's entries, from the cache or as `read` finds them."""

    def sized(seqs: Sequence[int]) -> dict[int, _Sized]:
        return {seq: (*written, product_nbytes(written[0])) for seq, written in read(seqs).items()}

    seqs = [int(entry.segment.seqs[entry.row]) for entry in page.entries]
    products = state.products.get_many(seqs, sized, nbytes=itemgetter(2))
    if len(products) < len(seqs):
        raise _Replaced
    return [products[seq] for seq in seqs]


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
