"""A client of Qdrant that speaks gRPC.

Qdrant's own turns every answer into pydantic models, which costs several times what the server
needs for a page. Here the messages are read as they are (`wire.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client import grpc as messages
from qdrant_client.conversions.conversion import RestToGrpc

from vitrine.index.qdrant.point import NewPoint, Point, Rows, SparseRow
from vitrine.index.qdrant.wire import (
    id_message,
    message_fields,
    point_message,
    query_message,
    retrieved_point,
    scored_point,
)

__all__ = ["FacetCount", "GrpcClient", "QueryAnswer"]


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
        request = query_message(query=query, **arguments)
        answer = self.stub.Query(request, timeout=arguments["timeout"])
        return QueryAnswer([scored_point(point) for point in answer.result])

    def query_batch_points(
        self, *, collection_name: str, requests: Sequence[Mapping[str, Any]], timeout: int
    ) -> list[QueryAnswer]:
        """What several `query_points` answer, asked in one request; each is its arguments."""
        queries = [
            query_message(collection_name=collection_name, **request) for request in requests
        ]
        request = messages.QueryBatchPoints(
            collection_name=collection_name, query_points=queries, timeout=timeout
        )
        answer = self.stub.QueryBatch(request, timeout=timeout)
        return [
            QueryAnswer([scored_point(point) for point in batch.result]) for batch in answer.result
        ]

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
            offset=None if offset is None else id_message(offset),
            **message_fields(arguments),
        )
        answer = self.stub.Scroll(request, timeout=arguments["timeout"])
        following = answer.next_page_offset.uuid if answer.HasField("next_page_offset") else None
        return [retrieved_point(point) for point in answer.result], following

    def retrieve(self, *, ids: Sequence[str], **arguments: Any) -> list[Point]:
        """The points of these ids that exist."""
        points = [id_message(i) for i in ids]
        request = messages.GetPoints(ids=points, **message_fields(arguments))
        answer = self.stub.Get(request, timeout=arguments["timeout"])
        return [retrieved_point(point) for point in answer.result]

    def count(self, **arguments: Any) -> CountAnswer:
        """How many points fulfill a filter."""
        request = messages.CountPoints(**message_fields(arguments))
        return CountAnswer(self.stub.Count(request, timeout=arguments["timeout"]).result.count)

    def facet(self, **arguments: Any) -> FacetAnswer:
        """The most frequent values under a key."""
        request = messages.FacetCounts(**message_fields(arguments))
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
            points=[point_message(point) for point in points],
            wait=wait,
            ordering=RestToGrpc.convert_write_ordering(ordering),
        )
        self.stub.Upsert(request, timeout=self._timeout_s)

    @property
    def stub(self) -> Any:
        """The service of points."""
        return self._client.grpc_points
