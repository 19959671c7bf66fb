"""What Qdrant is asked for points: nearest to a vector, in an order, or by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from vitrine.index.qdrant.payload import DERIVED_KEYS
from vitrine.index.qdrant.point import VECTOR, SparseRow
from vitrine.index.qdrant.quantization import search_params
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.products import Vector
from vitrine.settings import QdrantSettings

__all__ = ["NearestQuery", "QueryTranslator", "Read", "Vectors", "payload_selector", "vector_names"]

Vectors = bool | tuple[str, ...]
"""Which vectors are read: True those of pictures, False none, else those of these names."""
_WHOLE = models.SearchParams(exact=True)
"""Of lists that have no graph. Of a list of 128 or more Qdrant (1.16 to 1.19) else asks each of
several shards for little more than its share, and leaves out what a shard has beyond that
(`modify_shard_query_for_undersampling_limits` in lib/collection/src/collection/query.rs)."""


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


@dataclass(frozen=True, slots=True)
class QueryTranslator:
    """Makes queries what the client takes, in local mode (`local`), over gRPC (`grpc`) or HTTP."""

    layout: VectorLayout
    settings: QdrantSettings
    local: bool
    grpc: bool

    def arguments(self, query: NearestQuery) -> dict[str, Any]:
        """A search as the client's `query_points` takes it."""
        keys = list(query.payload) if isinstance(query.payload, tuple) else query.payload
        return self._search(query) | {
            "offset": query.offset,
            "with_payload": payload_selector(keys),
            "with_vectors": vector_names(query.with_vectors),
        }

    def request(self, query: NearestQuery) -> Any:
        """A search as one of a batch."""
        arguments = self.arguments(query)
        return arguments if self.grpc else models.QueryRequest(**_renamed(arguments))

    def _search(self, query: NearestQuery) -> dict[str, Any]:
        """The arguments that a search and the one that proposes its points have in common."""
        arguments: dict[str, Any] = {
            "query_filter": query.where,
            "limit": query.limit,
            "search_params": self._params(query),
        }
        if query.among is not None:
            among = self._search(query.among)
            arguments["prefetch"] = [among if self.grpc else models.Prefetch(**_renamed(among))]
        if query.vector is None:
            order = None if query.order is None else models.OrderByQuery(order_by=query.order)
            return arguments | {"query": order}
        return arguments | {
            "query": self._row(query.vector, query.using),
            "using": query.using,
            "score_threshold": query.least,
        }

    def _row(self, vector: Vector | SparseRow, using: str) -> Any:
        if isinstance(vector, SparseRow):
            return vector if self.grpc else vector.model()
        rows = self.layout.query_rows(vector, using)
        return rows if self.grpc else rows.tolist()

    def _params(self, query: NearestQuery) -> models.SearchParams | None:
        if self.local:  # it always compares everything, and warns when parameters are set
            return None
        if query.vector is None or isinstance(query.vector, SparseRow):
            return _WHOLE
        return search_params(self.settings, exact=query.exact)


_REQUEST_FIELDS = {
    "query_filter": "filter",
    "search_params": "params",
    "with_vectors": "with_vector",
}
"""Fields of the client's requests whose names differ from those of its arguments."""


def _renamed(arguments: dict[str, Any]) -> dict[str, Any]:
    return {_REQUEST_FIELDS.get(name, name): value for name, value in arguments.items()}


def payload_selector(payload: bool | list[str]) -> bool | list[str] | models.PayloadSelectorExclude:
    """Which keys are read; of a whole payload all but those that only filters and orders use."""
    return models.PayloadSelectorExclude(exclude=DERIVED_KEYS) if payload is True else payload


def vector_names(read: Vectors) -> bool | list[str]:
    """The vectors to read as the client takes them."""
    return list(read) if isinstance(read, tuple) else [VECTOR] if read else False
