"""Qdrant's gRPC messages, read and written without the client's models.

The client turns every answer into pydantic models, which costs several times what the server needs
for a page. Here the messages are read as they are, and vectors travel as the packed bytes that they
are on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as messages
from qdrant_client.conversions.conversion import RestToGrpc, payload_to_grpc

from vitrine.index.qdrant.point import NewPoint, Point, Rows, SparseRow
from vitrine.products import Vector

__all__ = ["FacetCount", "GrpcClient", "QueryAnswer", "point_of"]

_PACKED = b"\x0a"
"""The key of field 1, length-delimited: `DenseVector.data`, whose floats are packed
little-endian."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What `query_points` answers."""

    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class CountAnswer:
    """What `count` answers."""

    count: int


@dataclass(frozen=True, slots=True)
class FacetCount:
    """One value and the number of points that have it."""

    value: str | int | bool
    count: int


@dataclass(frozen=True, slots=True)
class FacetAnswer:
    """What `facet` answers."""

    hits: Sequence[FacetCount]


class GrpcClient:
    """The methods of the client that Vitrine calls; the frequent ones speak gRPC directly.

    They take the arguments of `QdrantClient` and answer `Point`s, in the shape of its answers.
    """

    def __init__(self, client: QdrantClient, *, timeout_s: int) -> None:
        self._client = client
        self._timeout_s = timeout_s

    def __getattr__(self, method: str) -> Any:
        """Everything else (collections, aliases, deletes) is the client's own."""
        return getattr(self._client, method)

    def query_points(
        self,
        *,
        query: Rows | SparseRow | models.OrderByQuery | None,
        **arguments: Any,
    ) -> QueryAnswer:
        """The points nearest to a vector or to several rows, in an order, or by their ids."""
        request = _query(query=query, **arguments)
        answer = self.stub.Query(request, timeout=arguments["timeout"])
        return QueryAnswer([_scored(point) for point in answer.result])

    def query_batch_points(
        self, *, collection_name: str, requests: Sequence[Mapping[str, Any]], timeout: int
    ) -> list[QueryAnswer]:
        """What several `query_points` answer, asked in one request; each is its arguments."""
        queries = [_query(collection_name=collection_name, **request) for request in requests]
        request = messages.QueryBatchPoints(
            collection_name=collection_name, query_points=queries, timeout=timeout
        )
        answer = self.stub.QueryBatch(request, timeout=timeout)
        return [QueryAnswer([_scored(point) for point in batch.result]) for batch in answer.result]

    def scroll(
        self,
        *,
        order_by: models.OrderBy | None = None,
        offset: str | None = None,
        **arguments: Any,
    ) -> tuple[list[Point], str | None]:
        """Points under a filter, in an order or by id from `offset`, and the offset of the rest."""
        request = messages.ScrollPoints(
            order_by=None if order_by is None else RestToGrpc.convert_order_by(order_by),
            offset=None if offset is None else _point_id(offset),
            **_converted(arguments),
        )
        answer = self.stub.Scroll(request, timeout=arguments["timeout"])
        following = answer.next_page_offset.uuid if answer.HasField("next_page_offset") else None
        return [_retrieved(point) for point in answer.result], following

    def retrieve(self, *, ids: Sequence[str], **arguments: Any) -> list[Point]:
        """The points of these ids that exist."""
        points = [_point_id(i) for i in ids]
        request = messages.GetPoints(ids=points, **_converted(arguments))
        answer = self.stub.Get(request, timeout=arguments["timeout"])
        return [_retrieved(point) for point in answer.result]

    def count(self, **arguments: Any) -> CountAnswer:
        """How many points fulfill a filter."""
        request = messages.CountPoints(**_converted(arguments))
        return CountAnswer(self.stub.Count(request, timeout=arguments["timeout"]).result.count)

    def facet(self, **arguments: Any) -> FacetAnswer:
        """The most frequent values under a key."""
        request = messages.FacetCounts(**_converted(arguments))
        answer = self.stub.Facet(request, timeout=arguments["timeout"])
        return FacetAnswer(
            [
                FacetCount(getattr(hit.value, hit.value.WhichOneof("variant")), hit.count)
                for hit in answer.hits
            ]
        )

    def upsert(
        self,
        *,
        collection_name: str,
        points: Iterable[NewPoint],
        wait: bool,
        ordering: models.WriteOrdering,
    ) -> None:
        """Insert or replace points; vectors are sent as packed rows."""
        request = messages.UpsertPoints(
            collection_name=collection_name,
            points=[_struct(point) for point in points],
            wait=wait,
            ordering=RestToGrpc.convert_write_ordering(ordering),
        )
        self.stub.Upsert(request, timeout=self._timeout_s)

    @property
    def stub(self) -> Any:
        """The service of points."""
        return self._client.grpc_points


def point_of(read: Any) -> Point:
    """A point, whether it was read from a message or is one of the client's models."""
    if isinstance(read, Point):
        return read
    rows: dict[str, Rows | SparseRow] = {
        name: _sparse_row(row)
        if isinstance(row, models.SparseVector)
        else np.asarray(row, np.float32)
        for name, row in (read.vector or {}).items()
    }
    return Point(str(read.id), read.payload or {}, getattr(read, "score", 0.0), rows)


_FILTERS = frozenset({"query_filter", "scroll_filter", "count_filter", "facet_filter"})
"""What the client calls the filter of a request."""


def _converted(arguments: dict[str, Any]) -> dict[str, Any]:
    """The client's arguments as fields of a message."""
    return dict(_field(name, value) for name, value in arguments.items() if value is not None)


def _field(name: str, value: Any) -> tuple[str, Any]:
    if name in _FILTERS:
        return "filter", RestToGrpc.convert_filter(value)
    if name == "consistency":
        return "read_consistency", RestToGrpc.convert_read_consistency(value)
    if name == "with_payload":
        return name, RestToGrpc.convert_with_payload_interface(value)
    if name == "with_vectors":
        return name, RestToGrpc.convert_with_vectors(value)
    return name, value


def _query(**arguments: Any) -> Any:
    return messages.QueryPoints(**_search(**arguments))


def _search(
    *,
    query: Rows | SparseRow | models.OrderByQuery | None,
    prefetch: Sequence[Mapping[str, Any]] = (),
    search_params: models.SearchParams | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """The client's arguments as fields of a message that searches."""
    scoring, params = None, None
    if search_params is not None:
        params = RestToGrpc.convert_search_params(search_params)
    if isinstance(query, models.OrderByQuery):
        scoring = RestToGrpc.convert_query(query)
    elif query is not None:
        scoring = messages.Query(nearest=messages.VectorInput(**_vector(query)))
    return {
        "query": scoring,
        "prefetch": [messages.PrefetchQuery(**_search(**search)) for search in prefetch],
        "params": params,
    } | _converted(arguments)


def _point_id(point_id: str) -> Any:
    return messages.PointId(uuid=point_id)


def _dense(row: Vector) -> Any:
    data = row.astype("<f4", copy=False).tobytes()
    return messages.DenseVector.FromString(_PACKED + _varint(len(data)) + data)


def _vector(rows: Rows | SparseRow) -> dict[str, Any]:
    """The field that holds them, of a message that is stored or asked."""
    if isinstance(rows, SparseRow):
        return {"sparse": _sparse(rows)}
    if rows.ndim == 1:
        return {"dense": _dense(rows)}
    return {"multi_dense": messages.MultiDenseVector(vectors=[_dense(row) for row in rows])}


def _sparse(row: SparseRow) -> Any:
    return messages.SparseVector(indices=row.indices.tolist(), values=row.values.tolist())


def _varint(number: int) -> bytes:
    """A length as protobuf writes it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _rows(vectors: Any) -> dict[str, Rows | SparseRow]:
    """The named vectors of a point as it was read; none where they were not asked for."""
    if vectors.WhichOneof("vectors_options") is None:
        return {}
    return {name: _vector_of(vector) for name, vector in vectors.vectors.vectors.items()}


def _sparse_row(read: Any) -> SparseRow:
    """A message's or a model's sparse vector."""
    return SparseRow(np.asarray(read.indices, np.uint32), np.asarray(read.values, np.float32))


def _vector_of(read: Any) -> Rows | SparseRow:
    kind = read.WhichOneof("vector")
    if kind == "sparse":
        return _sparse_row(read.sparse)
    if kind == "multi_dense":
        return np.stack([_row(dense) for dense in read.multi_dense.vectors])
    if kind == "dense":
        return _row(read.dense)
    return np.asarray(read.data, np.float32)  # servers before 1.16


def _row(dense: Any) -> Vector:
    packed = dense.SerializeToString()
    start = 1  # after the key comes the length, whose last byte is the first below 0x80
    while packed[start] & 0x80:
        start += 1
    return np.frombuffer(packed, "<f4", offset=start + 1).astype(np.float32, copy=False)


def _scored(point: Any) -> Point:
    return Point(point.id.uuid, _mapping(point.payload), point.score, _rows(point.vectors))


def _retrieved(point: Any) -> Point:
    return Point(point.id.uuid, _mapping(point.payload), 0.0, _rows(point.vectors))


def _mapping(fields: Any) -> dict[str, Any]:
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _mapping(value.struct_value.fields)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _struct(point: NewPoint) -> Any:
    named = {name: messages.Vector(**_vector(rows)) for name, rows in point.vectors.items()}
    return messages.PointStruct(
        id=_point_id(point.id),
        payload=payload_to_grpc(point.payload),
        vectors=messages.Vectors(vectors=messages.NamedVectors(vectors=named)),
    )
