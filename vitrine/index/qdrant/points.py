"""Reads and writes of one collection's points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from qdrant_client import models

from vitrine.errors import NotFound, VersionGone
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.payload import DERIVED_KEYS, ID, point_id
from vitrine.index.qdrant.quantization import search_params
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.index.qdrant.wire import VECTOR, NewPoint, Point, SparseRow, point_of
from vitrine.products import Vector
from vitrine.settings import QdrantSettings

__all__ = ["NearestQuery", "Points", "Read"]

_CHUNK = 1000
"""Points read in one request at most, where the reader did not ask for a number."""

Vectors = bool | tuple[str, ...]
"""Which vectors are read: True those of pictures, False none, else those of these names."""
ScanFields = Literal["ids", "records"]
"""What a scan reads of each point: the product's id, or all payload and the vectors."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NearestQuery:
    """What a search asks of Qdrant: `limit` points after the first `offset`, the nearest first.

    None that scores below `least`. `using` names the vectors that are compared; a sparse one finds
    the points that share a term with it. Without a `vector` the points come in `order`, or by their
    own ids. `payload` names the keys to read (True: all, False: none). With `among` only the points
    that this other search finds take part.
    """

    vector: Vector | SparseRow | None
    where: models.Filter | None
    limit: int
    using: str = VECTOR
    order: models.OrderBy | None = None
    offset: int = 0
    least: float | None = None
    payload: bool | tuple[str, ...] = False
    with_vectors: Vectors = False
    exact: bool = False
    among: NearestQuery | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What is read of the points with these ids; see `NearestQuery`."""

    ids: Sequence[str]
    payload: bool | tuple[str, ...]
    vectors: Vectors = False


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
        self._settings = settings

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
        answer = self._read("query_points", **self._arguments(query))
        return [point_of(point) for point in answer.points]

    def nearest_each(self, queries: Sequence[NearestQuery]) -> list[list[Point]]:
        """What each of several searches finds, asked in one request."""
        requests: list[Any] = [self._arguments(query) for query in queries]
        if not self._connection.speaks_grpc:
            requests = [_query_request(arguments) for arguments in requests]
        answers = self._read("query_batch_points", requests=requests) if requests else []
        return [[point_of(point) for point in answer.points] for answer in answers]

    def _arguments(self, query: NearestQuery) -> dict[str, Any]:
        """A search as the client's `query_points` takes it."""
        arguments = self._search(query) | {
            "offset": query.offset,
            "with_payload": _selected(
                list(query.payload) if isinstance(query.payload, tuple) else query.payload
            ),
            "with_vectors": _vectors(query.with_vectors),
        }
        return arguments

    def _search(self, query: NearestQuery) -> dict[str, Any]:
        """The arguments that a search and the one that proposes its points have in common."""
        arguments: dict[str, Any] = {"query_filter": query.where, "limit": query.limit}
        if query.among is not None:
            among = self._search(query.among)
            grpc = self._connection.speaks_grpc
            arguments["prefetch"] = [among if grpc else models.Prefetch(**_renamed(among))]
        if query.vector is None:
            order = None if query.order is None else models.OrderByQuery(order_by=query.order)
            return arguments | {"query": order}
        row: Any = query.vector
        if not isinstance(row, SparseRow):
            row = self.layout.query_rows(row, query.using)
        if not self._connection.speaks_grpc:
            row = row.model() if isinstance(row, SparseRow) else row.tolist()
        # local mode always compares everything and warns when parameters are set; a sparse vector
        # is compared with all that share a term
        parameters = None
        if not self._connection.local and not isinstance(query.vector, SparseRow):
            parameters = search_params(self._settings, exact=query.exact)
        return arguments | {
            "query": row,
            "using": query.using,
            "score_threshold": query.least,
            "search_params": parameters,
        }

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
                with_vectors=_vectors(vectors),
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
                with_payload=_selected(True if whole else [ID]),
                with_vectors=_vectors(self.layout.names if whole else False),
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
            with_payload=_selected(True),
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
        wanted = list(dict.fromkeys(ids))
        reads = [
            partial(
                self._read,
                "retrieve",
                ids=wanted[start : start + _CHUNK],
                with_payload=_selected(payload),
                with_vectors=_vectors(vectors),
                consistency=consistency,
            )
            for start in range(0, len(wanted), _CHUNK)
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


_REQUEST_FIELDS = {
    "query_filter": "filter",
    "search_params": "params",
    "with_vectors": "with_vector",
}
"""Fields of the client's requests whose names differ from those of its arguments."""


def _query_request(arguments: dict[str, Any]) -> models.QueryRequest:
    """A search as one of the client's batch."""
    return models.QueryRequest(**_renamed(arguments))


def _renamed(arguments: dict[str, Any]) -> dict[str, Any]:
    return {_REQUEST_FIELDS.get(name, name): value for name, value in arguments.items()}


def _selected(payload: bool | list[str]) -> bool | list[str] | models.PayloadSelectorExclude:
    """Which keys are read; of a whole payload all but those that only filters and orders use."""
    return models.PayloadSelectorExclude(exclude=DERIVED_KEYS) if payload is True else payload


def _vectors(read: Vectors) -> bool | list[str]:
    return list(read) if isinstance(read, tuple) else [VECTOR] if read else False
