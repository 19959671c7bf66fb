"""An index in memory, so that tests of what writes into an index need none of the real ones.

It lives in one process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.contract.oracle import matched_image, score
from vitrine.errors import Conflict, NoLiveVersion, NotFound
from vitrine.fields.schema import Schema
from vitrine.filters import MATCH_ALL, Filter
from vitrine.index import (
    IndexAnswer,
    IndexQuery,
    Stamp,
    VectorIndex,
    VersionFilling,
    VersionInfo,
)
from vitrine.index.checks import check_record
from vitrine.index.patching import patched
from vitrine.index.product_json import product_hash
from vitrine.index.version_rules import discard_surplus, version_name
from vitrine.products import Product, Record, Value
from vitrine.results import Facet, Hit


class FakeIndex:
    """One version: a dict of records under a lock; searches without filters, sorts or facets."""

    search_model = None

    def __init__(self, info: VersionInfo) -> None:
        self.info = info
        self._records: dict[str, Record] = {}
        self._lock = threading.RLock()

    def upsert(self, records: Sequence[Record]) -> None:
        for record in records:
            check_record(record, self.info)
        with self._lock:
            self._records.update({record.product.id: record for record in records})

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        with self._lock:
            if product_id not in self._records:
                raise NotFound(f"there is no product {product_id!r}")
            record = self._records[product_id]
            self._records[product_id] = replace(
                record, product=patched(record.product, changes, self.info.schema)
            )

    def patch_products(self, products: Sequence[Product]) -> None:
        with self._lock:
            missing = [product.id for product in products if product.id not in self._records]
            if missing:
                raise NotFound(f"there are no products {missing}")
            self._records.update({p.id: replace(self._records[p.id], product=p) for p in products})

    def delete(self, product_ids: Sequence[str]) -> int:
        with self._lock:
            return sum(self._records.pop(one, None) is not None for one in product_ids)

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        with self._lock:
            return {one: self._records[one] for one in product_ids if one in self._records}

    def stamps(self, product_ids: Sequence[str]) -> dict[str, Stamp]:
        return {
            one: Stamp(record.image_keys, product_hash(record.product))
            for one, record in self.get(product_ids).items()
        }

    def search(self, query: IndexQuery) -> IndexAnswer:
        with self._lock:
            records = list(self._records.values())
        if query.vector is None:
            hits = [
                Hit(r.product, None, r.image_keys)
                for r in sorted(records, key=lambda r: r.product.id)
            ]
        else:
            scored = [(score(r, query.vector), r) for r in records]
            hits = [
                Hit(r.product, best, r.image_keys, matched_image(r, query.vector))
                for best, r in sorted(scored, key=lambda pair: (-pair[0], pair[1].product.id))
            ]
        hits = [hit for hit in hits if hit.product.id not in query.exclude][: query.candidates]
        return IndexAnswer(tuple(hits[: query.limit]), len(hits), {}, None, "exact", len(records))

    def count(self, filter: Filter = MATCH_ALL) -> int:
        assert filter is MATCH_ALL
        with self._lock:
            return len(self._records)

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, Facet]:
        assert not fields
        return {}

    def scan(
        self, *, after: str | None = None, upto: str | None = None, batch: int = 256
    ) -> Iterator[list[Record]]:
        for ids in self.scan_ids(after=after, batch=batch):
            with self._lock:
                records = [
                    self._records[i] for i in ids if i in self._records and (not upto or i <= upto)
                ]
            if records:
                yield records

    def scan_ids(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[str]]:
        while True:
            with self._lock:
                ids = sorted(i for i in self._records if after is None or i > after)[:batch]
            if not ids:
                return
            yield ids
            after = ids[-1]

    def terms_in_use(self, term_ids: Collection[int]) -> frozenset[int]:
        return frozenset()

    def mark(self) -> int:
        return 0

    def count_written(self, mark: int) -> int:
        return self.count()

    def written_since(self, mark: int, *, batch: int = 256) -> Iterator[list[Record]]:
        return self.scan(batch=batch)

    def close(self) -> None:
        pass


class FakeVersions:
    """Versions in memory, which keep no words."""

    def __init__(self) -> None:
        self._all: dict[str, FakeIndex] = {}
        self._ready: set[str] = set()
        self._live: str | None = None
        self._lock = threading.RLock()

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Schema,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> FakeIndex:
        with self._lock:
            now = datetime.now(UTC)
            name = version_name(model, now, self._all)
            self._all[name] = FakeIndex(
                VersionInfo(
                    name,
                    "fake",
                    model,
                    fingerprint,
                    dimension,
                    schema,
                    mapping,
                    now,
                    text_vectors=text_vectors,
                    words=False,
                )
            )
            return self._all[name]

    def open(self, name: str) -> FakeIndex:
        with self._lock:
            if name not in self._all:
                raise NotFound(f"there is no version {name!r}")
            return self._all[name]

    def live(self) -> FakeIndex:
        with self._lock:
            if self._live is None:
                raise NoLiveVersion("nothing has been published yet")
            return self._all[self._live]

    def build_index(self, name: str, *, progress: Callable[[float], None] = lambda _: None) -> None:
        self.open(name)
        progress(1.0)

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        index = self.open(name)
        index.info = replace(index.info, filling=filling)
        self._ready.add(name)

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        index = self.open(name)
        if name not in self._ready:
            raise Conflict(f"version {name} is still being built")
        if verify is not None:
            verify(index)
        with self._lock:
            previous, self._live = self._live, name
        return previous

    def discard(self, name: str) -> None:
        with self._lock:
            self.open(name)
            if name == self._live:
                raise Conflict(f"version {name} is live")
            del self._all[name]

    def list(self) -> list[VersionInfo]:
        with self._lock:
            return [
                replace(v.info, state=self._state(n), count=v.count())
                for n, v in sorted(self._all.items(), reverse=True)
            ]

    def prune(self, *, keep: int, spare: str | None = None) -> Sequence[str]:
        ready = [info.name for info in self.list() if info.state == "ready"]
        return discard_surplus(ready, self.discard, keep=keep, spare=spare)

    def describe(self) -> Sequence[str]:
        return []

    def check(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        pass

    def _state(self, name: str) -> str:
        return "live" if name == self._live else "ready" if name in self._ready else "building"
