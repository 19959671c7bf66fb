"""A stand-in for an index backend: everything in a dictionary, compared one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from tests.contract.oracle import fulfills, in_order, score
from tests.contract.oracle import matched_image as matched
from tests.fakes import FakeEmbedder
from vitrine.errors import Conflict, NoLiveVersion, NotFound
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters import MATCH_ALL, Filter
from vitrine.index import IndexAnswer, IndexQuery, PageToken, VectorIndex, VersionInfo
from vitrine.index.checks import check_facets, check_query
from vitrine.products import Record
from vitrine.queries import RELEVANCE
from vitrine.results import FacetValue, Hit, RangeFacet, ValueFacet

SCHEMA = Schema(
    (
        Field("id", FieldType.KEYWORD),
        Field("title", FieldType.TEXT),
        Field("price", FieldType.MONEY),
        Field("color", FieldType.COLOR),
        Field("category", FieldType.PATH),
        Field("in_stock", FieldType.BOOL),
        Field("group_id", FieldType.KEYWORD),
        Field("added", FieldType.DATETIME),
        Field("pattern", FieldType.KEYWORD),
    )
)


class BruteForceIndex:
    search_model = None

    def __init__(self, records: Iterable[Record], info: VersionInfo) -> None:
        self.records = {r.product.id: r for r in records}
        self.info = info

    def get(self, product_ids: Sequence[str]) -> dict[str, Record]:
        return {i: self.records[i] for i in product_ids if i in self.records}

    def count(self, filter: Filter = MATCH_ALL) -> int:
        return sum(fulfills(r.product, filter) for r in self.records.values())

    def search(self, query: IndexQuery) -> IndexAnswer:
        check_query(query, dimension=self.info.dimension, schema=self.info.schema)
        matching = [
            r
            for r in self.records.values()
            if fulfills(r.product, query.filter) and r.product.id not in query.exclude
        ]
        scored = [(None if query.vector is None else score(r, query.vector), r) for r in matching]
        candidates = in_order(
            [
                (record, best)
                for best, record in scored
                if query.min_score is None or (best or 0) >= query.min_score
            ],
            RELEVANCE,
        )
        candidates = candidates[: query.candidates] if query.vector is not None else candidates
        found = [
            Hit(r.product, best, r.image_keys, None if best is None else matched(r, query.vector))
            for r, best in in_order(candidates, query.sort)
        ]
        start = (
            0
            if query.page_token is None
            else [h.product.id for h in found].index(query.page_token.search_after[1]) + 1
        )
        hits = tuple(found[start : start + query.limit])
        more = start + query.limit < len(found)
        next_token = (
            PageToken(0, None, (hits[-1].score, hits[-1].product.id), len(found))
            if hits and more
            else None
        )
        facets = {name: self._facet(name, found) for name in query.facets}
        search = "browse" if query.vector is None else "exact"
        return IndexAnswer(
            hits, len(found), facets, next_token, search, len(matching), {"facets": 0.1}
        )

    def facet(
        self, fields: Sequence[str], filter: Filter = MATCH_ALL, *, values: int = 50
    ) -> dict[str, ValueFacet | RangeFacet]:
        check_facets(fields, self.info.schema)
        matching = [r for r in self.records.values() if fulfills(r.product, filter)]
        hits = [Hit(r.product, None, r.image_keys) for r in matching]
        return {name: self._facet(name, hits) for name in fields}

    def _facet(self, name: str, hits: Sequence[Hit]) -> ValueFacet | RangeFacet:
        if self.info.schema.get(name).type.numeric:
            numbers = [h.product.value(name) for h in hits if h.product.value(name) is not None]
            return (
                RangeFacet(min(numbers), max(numbers), ())
                if numbers
                else RangeFacet(None, None, ())
            )
        values = [v for h in hits for v in (h.product.value(name) or ())]
        return ValueFacet(
            tuple(FacetValue(v, values.count(v)) for v in sorted(set(values))), len(set(values))
        )

    def close(self) -> None:
        pass


class BruteForceVersions:
    """Versions by name.

    `live_name` None means that nothing has been published, `broken` is raised by every call.
    """

    def __init__(self, records: Iterable[Record], embedder: FakeEmbedder) -> None:
        self.indexes = {name: self._index(name, records, embedder) for name in ("v1", "v2")}
        self.live_name: str | None = "v2"
        self.broken: Exception | None = None

    def _index(
        self, name: str, records: Iterable[Record], embedder: FakeEmbedder
    ) -> BruteForceIndex:
        info = embedder.info
        state = "live" if name == "v2" else "ready"
        created = datetime(2026, 1, 1, tzinfo=UTC)
        return BruteForceIndex(
            records,
            VersionInfo(
                name,
                "brute force",
                info.name,
                info.fingerprint,
                info.dimension,
                SCHEMA,
                {},
                created,
                state,
            ),
        )

    def open(self, name: str) -> VectorIndex:
        if name not in self.indexes:
            raise NotFound(f"there is no version {name!r}")
        return self.indexes[name]

    def live(self) -> VectorIndex:
        if self.broken is not None:
            raise self.broken
        if self.live_name is None:
            raise NoLiveVersion("nothing has been published yet")
        return self.indexes[self.live_name]

    def list(self) -> list[VersionInfo]:
        return [index.info for index in self.indexes.values()]

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        self.open(name)
        previous, self.live_name = self.live_name, name
        return previous

    def discard(self, name: str) -> None:
        self.open(name)
        if name == self.live_name:
            raise Conflict(f"version {name} is live")
        del self.indexes[name]

    def close(self) -> None:
        pass
