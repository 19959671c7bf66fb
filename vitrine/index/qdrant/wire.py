"""Qdrant's gRPC messages, written from the client's arguments and read without its models.

Vectors travel as the packed bytes that they are on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qdrant_client import grpc as messages
from qdrant_client import models
from qdrant_client.conversions.conversion import RestToGrpc, payload_to_grpc

from vitrine.index.qdrant.point import NewPoint, Point, Rows, SparseRow
from vitrine.products import Vector

__all__ = [
    "id_message",
    "message_fields",
    "point_message",
    "point_of",
    "query_message",
    "retrieved_point",
    "scored_point",
]

_PACKED = b"\x0a"
"""The key of field 1, length-delimited: `DenseVector.data`, whose floats are packed
little-endian."""


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


def message_fields(arguments: dict[str, Any]) -> dict[str, Any]:
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


def query_message(**arguments: Any) -> Any:
    """A search; the arguments are those of the client's `query_points`."""
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
    } | message_fields(arguments)


def id_message(point_id: str) -> Any:
    """The id of a point as a message."""
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


def scored_point(point: Any) -> Point:
    """A point that a search found."""
    return Point(point.id.uuid, _mapping(point.payload), point.score, _rows(point.vectors))


def retrieved_point(point: Any) -> Point:
    """A point that was read by its id or from a scroll; its score is 0."""
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


def point_message(point: NewPoint) -> Any:
    """A point to be written."""
    named = {name: messages.Vector(**_vector(rows)) for name, rows in point.vectors.items()}
    return messages.PointStruct(
        id=id_message(point.id),
        payload=payload_to_grpc(point.payload),
        vectors=messages.Vectors(vectors=messages.NamedVectors(vectors=named)),
    )
