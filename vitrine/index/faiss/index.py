"""One version of the embedded index: the `VectorIndex` over SQLite and what is derived from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache, partial
from time import perf_counter

import numpy as np

from vitrine.errors import IndexUnavailable, InvalidQuery, NotFound
from vitrine.filters import MATCH_ALL, Filter
from vitrine.index.checks import (
    check_facets,
    check_filter,
    check_product,
    check_query,
    check_record,
)
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.browsing import Browsed, browse
from vitrine.index.faiss.query.candidates import (
    Candidates,
    find_candidates,
    first_looked_at,
    in_order,
    weigh,
)
from vitrine.index.faiss.query.facets import count_facet
from vitrine.index.faiss.query.ordering import key_of
from vitrine.index.faiss.query.paging import Page, next_entries
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.reader import Reader
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.snapshots.compaction import Upkeep
from vitrine.index.patching import patched
from vitrine.index.ports import IndexAnswer, IndexQuery, PageToken, Stamp, VersionInfo
from vitrine.products import Product, Record, Value
from vitrine.results import Facet, Hit

__all__ = ["FaissIndex"]

ATTEMPTS = 20
"""How often a page is built anew when one of its products was replaced meanwhile."""


_HIT_BYTES = 3000
"""Memory of one product of an answer that is kept, roughly."""


class _Replaced(Exception):
    """A product of the page has been replaced or deleted since the state was read."""


def _asked(query: IndexQuery) -> Hashable:
    """All that an answer depends on."""
    parts = (getattr(query, field.name) for field in fields(query) if field.name != "vector")
    return ("answer", None if query.vector is None else query.vector.tobytes(), *parts)


def _weigh(answer: IndexAnswer) -> int:
    return 2000 + _HIT_BYTES * len(answer.hits)


class FaissIndex:
    """Reads follow the record store, writes go to it; safe to call from several threads."""

    def __init__(
        self,
        info: VersionInfo,
        store: RecordStore,
        reader: Reader,
        planner: Planner,
        upkeep: Upkeep,
    ) -> None:
        self._info = info
        self.store = store
        self._reader = reader
        self._planner = planner
        self._upkeep = upkeep

    @property
    def info(self) -> VersionInfo:
        """Name, schema and fingerprint of this version, as it was opened."""
        return self._info

    def upsert(self, records: Sequence[Record]) -> None:
        """Insert or replace whole records; `InvalidProduct` or `ModelMismatch` for one that cannot be kept."""
        for record in records:
            check_record(record, dimension=self.info.dimension, schema=self.info.schema)
        if records:
            self.store.put(records)

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        """Change fields and keep the vector."""

        def change(product: Product) -> Product:
            found = patched(product, changes, self.info.schema)
            check_product(found, self.info.schema)
            return found

        if not self.store.change(product_id, change):
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
        spent: dict[str, float] = {}
        for _ in range(ATTEMPTS):
            state = self._reader.current()
            self._upkeep.consider(state)
            with suppress(_Replaced):
                answer = state.recent.get(
                    _asked(query), partial(self._answer, state, query, spent), weight=_weigh
                )
                return replace(answer, timings_ms=spent)
        raise IndexUnavailable(
            "the products are being rewritten faster than a page can be read; try again"
        )

    def _answer(self, state: State, query: IndexQuery, spent: dict[str, float]) -> IndexAnswer:
        """The page as of this state, and in `spent` what its facets took; `_Replaced` when one of its products has been since."""
        page = self._page(state, query)
        seqs = [int(entry.segment.seqs[entry.row]) for entry in page.entries]
        stored = self.store.pictured(seqs)
        if len(stored) < len(seqs):
            raise _Replaced
        hits = tuple(
            Hit(stored[s][0], e.score, stored[s][1])
            for s, e in zip(seqs, page.entries, strict=True)
        )
        started = perf_counter()
        facets = self._facets(state, query.facets, page, query.facet_values)
        spent["facets"] = (perf_counter() - started) * 1e3
        token = query.page_token
        total = page.total if token is None else token.total
        further = None
        if page.more:
            last = page.entries[-1]
            as_of, floor = (
                (state.seq, page.floor)
                if token is None
                else (token.as_of, token.lowest_candidate or page.floor)
            )
            further = PageToken(as_of, floor, (last.raw, hits[-1].product.id), total)
        return IndexAnswer(
            hits, total, facets, further, page.search, self._matching(state, query.filter)
        )

    def _page(self, state: State, query: IndexQuery) -> Page:
        after = (
            None if query.page_token is None else key_of(*query.page_token.search_after, query.sort)
        )
        as_of = state.seq if query.page_token is None else min(query.page_token.as_of, state.seq)

        def masks() -> list[Mask]:
            return state.masks(query.filter, as_of=as_of, exclude=query.exclude)

        asked = (query.filter, query.exclude, as_of, query.sort, query.collapse)
        if query.vector is None:
            browsed: Browsed = state.recent.get(
                asked, lambda: browse(state, masks(), query), weight=Browsed.weigh
            )
            return Page(
                *next_entries(browsed.after(after), query.limit),
                browsed.total,
                asked,
                browsed.selections,
            )
        vector = query.vector
        near = (
            *asked[:3],
            vector.tobytes(),
            query.candidates,
            first_looked_at(query),
            query.min_score,
        )
        best = state.recent.get(
            near,
            lambda: find_candidates(state, masks(), query, vector, self._planner),
            weight=Candidates.weigh,
        )
        floor = (
            None
            if query.page_token is None or query.page_token.lowest_candidate == best.floor
            else query.page_token.lowest_candidate
        )
        key = (*near, *asked[3:], floor)
        ranking = state.recent.get(key, lambda: in_order(best.down_to(floor), query), weight=weigh)
        rest = ranking.after(after, query.sort)
        total = len(ranking) if best.total is None else best.total
        return Page(
            *next_entries(rest, query.limit),
            total,
            key,
            ranking.selections,
            best.search,
            best.floor,
        )

    def count(self, filter: Filter = MATCH_ALL) -> int:
        """How many products fulfil the filter."""
        if filter == MATCH_ALL:
            return self.store.count()
        check_filter(filter, self.info.schema)
        return self._matching(self._reader.current(), filter)

    @staticmethod
    def _matching(state: State, filter: Filter) -> int:
        return state.recent.get(
            ("matching", filter), lambda: sum(int(np.count_nonzero(m)) for m in state.masks(filter))
        )

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        """Counts over all products under the filter."""
        check_facets(fields, self.info.schema)
        check_filter(filter, self.info.schema)
        state = self._reader.current()
        page = self._page(state, IndexQuery(filter=filter, limit=1))
        return self._facets(state, fields, page, values)

    def _facets(
        self, state: State, fields: Sequence[str], page: Page, values: int
    ) -> dict[str, Facet]:
        if not fields:
            return {}
        selections = cache(page.selections)

        def counted(name: str) -> Facet:
            field = self.info.schema.require(name, wrong=InvalidQuery, where="facets")
            return count_facet(field, selections(), values=values)

        return {
            name: state.recent.get(("facet", page.key, name, values), partial(counted, name))
            for name in fields
        }

    def scan(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[Record]]:
        """All records in batches ordered by id."""
        return self.store.scan(after=after, batch=batch)

    def settle(self) -> None:
        """Make the derived files that let other processes start quickly."""
        self._upkeep.settle(self._reader.current())

    def close(self) -> None:
        """Release files; may be called twice."""
        self._upkeep.close()
        self.store.close()
