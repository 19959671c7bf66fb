"""Reads and writes of one collection's points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Literal, TypeVar

from qdrant_client import models

from vitrine.errors import NotFound, VersionGone
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.payload import ID, point_id
from vitrine.index.qdrant.point import NewPoint, Point
from vitrine.index.qdrant.queries import (
    NearestQuery,
    QueryTranslator,
    Read,
    Vectors,
    payload_selector,
    vector_names,
)
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.index.qdrant.wire import point_of
from vitrine.settings import QdrantSettings

__all__ = ["Points"]

_CHUNK = 1000
"""Points read in one request at most, where the reader did not ask for a number."""

ScanFields = Literal["ids", "records"]
"""What a scan reads of each point: the product's id, or all payload and the vectors."""
T = TypeVar("T")


class Points:
    """The points of one collection; raises our errors only."""

    def __init__(
        self,
        connection: Connection,
        collection: str,
        settings: QdrantSettings,
        layout: VectorLayout,
        *,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_gone` is called when the collection turns out to have been deleted."""
        self.layout = layout
        self._on_gone = on_gone
        self._connection = connection
        self._collection = collection
        self._translator = QueryTranslator(
            layout, settings, local=connection.local, grpc=connection.speaks_grpc
        )

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What these reads answer; a server gets them at the same time."""
        return self._connection.together(calls)

    def each(self, reads: Sequence[Read]) -> list[dict[str, Point]]:
        """The points of several reads by id that exist, asked in one request."""
        queries = [
            NearestQuery(
                None,
                models.Filter(must=[models.HasIdCondition(has_id=list(read.ids))]),
                limit=len(read.ids),
                payload=read.payload,
                with_vectors=read.vectors,
            )
            for read in reads
            if read.ids
        ]
        answers = iter(self.nearest_each(queries))
        return [{p.id: p for p in next(answers)} if read.ids else {} for read in reads]

    def nearest(self, query: NearestQuery) -> list[Point]:
        """The points nearest to a vector."""
        answer = self._read("query_points", **self._translator.arguments(query))
        return [point_of(point) for point in answer.points]

    def nearest_each(self, queries: Sequence[NearestQuery]) -> list[list[Point]]:
        """What each of several searches finds, asked in one request."""
        requests = [self._translator.request(query) for query in queries]
        answers = self._read("query_batch_points", requests=requests) if requests else []
        return [[point_of(point) for point in answer.points] for answer in answers]

    def count(self, where: models.Filter | None) -> int:
        """How many points fulfill the filter, exactly."""
        return int(self._read("count", count_filter=where, exact=True).count)

    def values(self, key: str, where: models.Filter | None) -> dict[Any, int]:
        """All values under a key with the number of points that have them, exactly."""
        limit = _CHUNK
        while True:
            hits = self._read("facet", key=key, facet_filter=where, limit=limit, exact=True).hits
            if len(hits) < limit:
                return {hit.value: hit.count for hit in hits}
            limit *= 10

    def first(
        self,
        where: models.Filter | None,
        order: models.OrderBy,
        *,
        limit: int,
        payload: bool | list[str] = True,
    ) -> list[Point]:
        """The first points in the order of one payload value; those without it are left out."""
        points, _ = self._read(
            "scroll",
            scroll_filter=where,
            order_by=order,
            limit=limit,
            with_payload=payload,
            with_vectors=False,
        )
        return [point_of(point) for point in points]

    def all(
        self,
        where: models.Filter | None,
        *,
        payload: bool | list[str] = True,
        vectors: Vectors = False,
    ) -> Iterator[Point]:
        """All points that fulfill the filter, in no order."""
        offset = None
        while True:
            points, offset = self._read(
                "scroll",
                scroll_filter=where,
                limit=_CHUNK,
                offset=offset,
                with_payload=payload,
                with_vectors=vector_names(vectors),
            )
            for point in points:
                yield point_of(point)
            if offset is None:
                return

    def scan(
        self,
        *,
        after: str | None = None,
        upto: str | None = None,
        batch: int,
        fields: ScanFields = "ids",
    ) -> Iterator[list[Point]]:
        """All points in batches, in the order of their own ids.

        `after` and `upto` are ids of products: only the points behind the first one's, up to the
        second one's, are read. A batch is read while the caller works on the one before it.
        """
        first = None if after is None else point_id(after)
        last = None if upto is None else point_id(upto)
        whole = fields == "records"

        def read(offset: str | None) -> tuple[list[Point], Any]:
            points, following = self._read(
                "scroll",
                limit=batch,
                offset=offset,
                with_payload=payload_selector(True if whole else [ID]),
                with_vectors=vector_names(self.layout.names if whole else False),
            )
            return [point_of(point) for point in points], following

        rest: list[Point] = []
        pending = self._connection.begin(partial(read, first))
        while True:
            points, following = pending()
            if following is not None:
                pending = self._connection.begin(partial(read, str(following)))
            within = [p for p in points if p.id != first and (last is None or p.id <= last)]
            ended = following is None or (last is not None and points[-1].id > last)
            rest += within
            while len(rest) >= batch or (ended and rest):
                yield rest[:batch]
                rest = rest[batch:]
            if ended:
                return

    def get(
        self,
        product_ids: Iterable[str],
        *,
        payload: bool | list[str] = True,
        vectors: Vectors = False,
        consistency: models.ReadConsistencyType | None = None,
    ) -> dict[str, Point]:
        """The points of the products that exist, by product id.

        With `consistency` those alone that so many copies of their shard hold alike;
        `IndexUnavailable` where fewer are there.
        """
        products = {point_id(i): i for i in product_ids}
        points = self.retrieve(products, payload=payload, vectors=vectors, consistency=consistency)
        return {products[i]: point for i, point in points.items()}

    def get_from_every_node(self, product_ids: Iterable[str]) -> list[Point]:
        """The points of products as each address in the settings answers them, one after the other.

        A node that holds a copy of the shard answers from its own copy.
        """
        answers = self._connection.read_from_every_node(
            "retrieve",
            collection_name=self._collection,
            ids=[point_id(i) for i in product_ids],
            with_payload=payload_selector(True),
            with_vectors=False,
        )
        return [point_of(read) for answer in answers for read in answer]

    def retrieve(
        self,
        ids: Iterable[str],
        *,
        payload: bool | list[str] = True,
        vectors: Vectors = False,
        consistency: models.ReadConsistencyType | None = None,
    ) -> dict[str, Point]:
        """The points that exist, by their own ids; see `get`."""
        unique = list(dict.fromkeys(ids))
        reads = [
            partial(
                self._read,
                "retrieve",
                ids=unique[start : start + _CHUNK],
                with_payload=payload_selector(payload),
                with_vectors=vector_names(vectors),
                consistency=consistency,
            )
            for start in range(0, len(unique), _CHUNK)
        ]
        points = [point_of(point) for chunk in self.together(reads) for point in chunk]
        return {point.id: point for point in points}

    def upsert(self, points: Sequence[NewPoint]) -> None:
        """Insert or replace points, durably, in one operation."""
        packed = self._connection.speaks_grpc
        self._write("upsert", points=[p if packed else p.model() for p in points])

    def change(self, operations: Sequence[models.UpdateOperation]) -> None:
        """Run operations in their order, durably.

        Vectors of points that have been deleted meanwhile are not written.
        """
        with suppress(NotFound):
            self._write("batch_update_points", update_operations=list(operations))

    def delete(self, product_ids: Iterable[str]) -> None:
        """Delete the points of products, durably."""
        self.delete_points([point_id(i) for i in product_ids])

    def delete_points(self, ids: Sequence[str]) -> None:
        """Delete points by their own ids, durably."""
        self._write("delete", points_selector=models.PointIdsList(points=list(ids)))

    def _read(self, method: str, **arguments: Any) -> Any:
        with self._gone_noticed():
            return self._connection.read(method, collection_name=self._collection, **arguments)

    def _write(self, method: str, **arguments: Any) -> None:
        # wait: the write is durable and visible when the call returns. Medium: one node puts the
        # writes of a shard in order, another one while it is away; strong would wait for that node
        with self._gone_noticed():
            self._connection.write(
                method,
                collection_name=self._collection,
                wait=True,
                ordering=models.WriteOrdering.MEDIUM,
                **arguments,
            )

    @contextmanager
    def _gone_noticed(self) -> Iterator[None]:
        try:
            yield
        except VersionGone:
            self._on_gone()
            raise
