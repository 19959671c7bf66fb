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

from vitrine.products import Vector

__all__ = ["FacetCount", "GrpcClient", "NewPoint", "Point", "QueryAnswer", "point_of"]

_PACKED = b"\x0a"
"""The key of field 1, length-delimited: `DenseVector.data`, whose floats are packed
little-endian."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point as it was read; `vector` is None where it was not asked for."""

    id: str
    payload: Mapping[str, Any]
    score: float = 0.0
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class NewPoint:
    """A point to be written."""

    id: str
    payload: dict[str, Any]
    vector_name: str
    vector: Vector

    def model(self) -> models.PointStruct:
        """The same as the client's model, for HTTP and local mode."""
        row = {self.vector_name: self.vector.tolist()}
        return models.PointStruct(id=self.id, vector=row, payload=self.payload)


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
        query: Vector,
        search_params: models.SearchParams | None = None,
        **arguments: Any,
    ) -> QueryAnswer:
        """The points nearest to a vector."""
        nearest = messages.VectorInput(dense=_dense(query))
        request = messages.QueryPoints(
            query=messages.Query(nearest=nearest),
            params=None
            if search_params is None
            else RestToGrpc.convert_search_params(search_params),
            **_converted(arguments),
        )
        answer = self.stub.Query(request, timeout=arguments["timeout"])
        return QueryAnswer([_scored(point) for point in answer.result])

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


def point_of(read: Any, vector_name: str) -> Point:
    """A point, whether it was read from a message or is one of the client's models."""
    if isinstance(read, Point):
        return read
    row = None if not read.vector else np.asarray(read.vector[vector_name], np.float32)
    return Point(str(read.id), read.payload or {}, getattr(read, "score", 0.0), row)


_FILTERS = frozenset({"query_filter", "scroll_filter", "count_filter", "facet_filter"})
"""What the client calls the filter of a request."""


def _converted(arguments: dict[str, Any]) -> dict[str, Any]:
    """The client's arguments as fields of a message."""
    return dict(_field(name, value) for name, value in arguments.items() if value is not None)


def _field(name: str, value: Any) -> tuple[str, Any]:
    if name in _FILTERS:
        return "filter", RestToGrpc.convert_filter(value)
    if name == "with_payload":
        return name, RestToGrpc.convert_with_payload_interface(value)
    if name == "with_vectors":
        return name, RestToGrpc.convert_with_vectors(value)
    return name, value


def _point_id(point_id: str) -> Any:
    return messages.PointId(uuid=point_id)


def _dense(row: Vector) -> Any:
    data = row.astype("<f4", copy=False).tobytes()
    return messages.DenseVector.FromString(_PACKED + _varint(len(data)) + data)


def _varint(number: int) -> bytes:
    """A length as protobuf writes it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _row(vectors: Any) -> Vector | None:
    """The one named vector of a point as it was read; None where it was not asked for."""
    if vectors.WhichOneof("vectors_options") is None:
        return None
    (vector,) = vectors.vectors.vectors.values()
    if vector.WhichOneof("vector") != "dense":  # servers before 1.16
        return np.asarray(vector.data, np.float32)
    packed = vector.dense.SerializeToString()
    start = 1  # after the key comes the length, whose last byte is the first below 0x80
    while packed[start] & 0x80:
        start += 1
    return np.frombuffer(packed, "<f4", offset=start + 1).astype(np.float32, copy=False)


def _scored(point: Any) -> Point:
    return Point(point.id.uuid, _mapping(point.payload), point.score, _row(point.vectors))


def _retrieved(point: Any) -> Point:
    return Point(point.id.uuid, _mapping(point.payload), 0.0, _row(point.vectors))


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
    named = {point.vector_name: messages.Vector(dense=_dense(point.vector))}
    return messages.PointStruct(
        id=_point_id(point.id),
        payload=payload_to_grpc(point.payload),
        vectors=messages.Vectors(vectors=messages.NamedVectors(vectors=named)),
    )
