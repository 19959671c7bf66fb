"""One version of the embedded index: the `VectorIndex` over SQLite and what is derived from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

from vitrine.errors import NotFound
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
from vitrine.index.faiss.query.answers import Answers, Replaced
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.reader import StateReader
from vitrine.index.faiss.records.search_model import SearchModelFile
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.snapshots.compaction import Compactor
from vitrine.index.fusion import SearchModel
from vitrine.index.patching import patched
from vitrine.index.ports import IndexAnswer, IndexQuery, Stamp, VersionInfo
from vitrine.products import Product, Record, Value
from vitrine.results import Facet

__all__ = ["FaissIndex"]


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
        with suppress(Replaced):
            return self._answers(state).answer(query, self.store.products_written)
        # A view kept open for every answer would let the write-ahead log grow under load; where a
        # product was replaced in between, only one that shows the state's own records is sure.
        with self._reader.view() as (state, records):
            return self._answers(state).answer(query, records.products_written)

    def count(self, filter: Filter = MATCH_ALL) -> int:
        """How many products fulfill the filter."""
        if filter == MATCH_ALL:
            return self.store.count()
        check_filter(filter, self.info.schema)
        return self._answers(self._reader.current()).count(filter)

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        """Counts over all products under the filter."""
        check_facets(fields, self.info.schema)
        check_filter(filter, self.info.schema)
        return self._answers(self._reader.current()).facets(fields, filter, values)

    def _answers(self, state: State) -> Answers:
        return Answers(state, self.info.schema, self._planner)

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
