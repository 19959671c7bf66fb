"""An index, its versions and an image store in memory, for tests of ingest alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vitrine.errors import Conflict, IndexUnavailable, NoLiveVersion, NotFound
from vitrine.index import Stamp, VersionFilling, VersionInfo
from vitrine.index.checks import check_record
from vitrine.index.product_json import product_hash
from vitrine.products import Product, Record


class MemoryIndex:
    """The writing half of `VectorIndex`; counts its calls. `failing` makes the next writes fail."""

    def __init__(self, info: VersionInfo) -> None:
        self.info = info
        self.records: dict[str, Record] = {}
        self.upserts: list[int] = []
        self.patched: list[str] = []
        self.failing = 0

    def upsert(self, records: Sequence[Record]) -> None:
        self._maybe_fail()
        for record in records:
            check_record(record, self.info)
        self.upserts.append(len(records))
        self.records.update({record.product.id: record for record in records})

    def patch_products(self, products: Sequence[Product]) -> None:
        self._maybe_fail()
        if unknown := [product.id for product in products if product.id not in self.records]:
            raise NotFound(str(unknown))
        for product in products:
            self.records[product.id] = replace(self.records[product.id], product=product)
            self.patched.append(product.id)

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        return {i: self.records[i] for i in product_ids if i in self.records}

    def stamps(self, product_ids: Sequence[str]) -> dict[str, Stamp]:
        return {
            i: Stamp(r.image_keys, product_hash(r.product))
            for i, r in self.get(product_ids).items()
        }

    def count(self) -> int:
        return len(self.records)

    def delete(self, product_ids: Sequence[str]) -> int:
        self._maybe_fail()
        return sum(self.records.pop(i, None) is not None for i in product_ids)

    def scan(self, *, after: str | None = None, batch: int = 256) -> Iterator[list[Record]]:
        ids = sorted(i for i in self.records if after is None or i > after)
        for start in range(0, len(ids), batch):
            yield [self.records[i] for i in ids[start : start + batch]]

    def _maybe_fail(self) -> None:
        if self.failing:
            self.failing -= 1
            raise IndexUnavailable("the index is away")


class MemoryVersions:
    """`IndexVersions` over `MemoryIndex`."""

    def __init__(self) -> None:
        self.indexes: dict[str, MemoryIndex] = {}
        self.live_name: str | None = None

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Any,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> MemoryIndex:
        name = f"{len(self.indexes):04d}-{model}"
        info = VersionInfo(
            name,
            "memory",
            model,
            fingerprint,
            dimension,
            schema,
            mapping,
            datetime.now(UTC),
            text_vectors=text_vectors,
            words=False,
        )
        self.indexes[name] = MemoryIndex(info)
        return self.indexes[name]

    def open(self, name: str) -> MemoryIndex:
        if name not in self.indexes:
            raise NotFound(name)
        return self.indexes[name]

    def live(self) -> MemoryIndex:
        if self.live_name is None:
            raise NoLiveVersion("nothing is published")
        return self.indexes[self.live_name]

    def build_index(self, name: str, *, progress: Callable[[float], None] = lambda _: None) -> None:
        self.open(name)
        progress(1.0)

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        index = self.open(name)
        index.info = replace(index.info, state="ready", filling=filling)

    def publish(self, name: str) -> str | None:
        if self.open(name).info.state == "building":
            raise Conflict(name)
        earlier, self.live_name = self.live_name, name
        return earlier

    def discard(self, name: str) -> None:
        del self.indexes[name]

    def list(self) -> list[VersionInfo]:
        infos = [index.info for index in self.indexes.values()]
        return [
            replace(info, state="live") if info.name == self.live_name else info for info in infos
        ]

    def prune(self, *, keep: int, spare: str | None = None) -> Sequence[str]:
        return []

    def close(self) -> None:
        pass


class MemoryImages:
    """`ImageStore` in a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, data: bytes, *, key: str | None = None) -> str:
        assert key in (None, hashlib.sha256(data).hexdigest())
        key = hashlib.sha256(data).hexdigest()
        self.kept[key] = data
        return key

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def has(self, key: str) -> bool:
        return key in self.kept
