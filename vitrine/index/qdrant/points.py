"""The points of one collection: the reads and writes that the index is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from qdrant_client import models

from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.layout import search_params
from vitrine.index.qdrant.payload import ID, VECTOR, point_id
from vitrine.products import Vector
from vitrine.settings import QdrantSettings

__all__ = ["Points"]

_CHUNK = 1000
"""Points read in one request at most, where the reader did not ask for a number."""
Conditions = Iterable[models.Condition | None]


class Points:
    """What one collection can be asked and told; raises our errors only."""

    def __init__(self, connection: Connection, collection: str, settings: QdrantSettings) -> None:
        self._connection = connection
        self._collection = collection
        self._settings = settings

    def nearest(
        self,
        vector: Vector,
        where: models.Filter | None,
        keys: list[str],
        *,
        limit: int,
        least: float | None,
        exact: bool,
    ) -> list[tuple[float, Mapping[str, Any]]]:
        """Scores and the wanted payload keys, the best first; at most `limit`, none that scores below `least`."""
        answer = self._read(
            "query_points",
            query=vector.tolist(),
            using=VECTOR,
            query_filter=where,
            limit=limit,
            score_threshold=least,
            # local mode always compares everything and says so when it is asked for more
            search_params=None
            if self._connection.local
            else search_params(self._settings, exact=exact),
            with_payload=keys,
        )
        return [(point.score, point.payload) for point in answer.points]

    def count(self, where: models.Filter | None) -> int:
        """How many points fulfil the filter, exactly."""
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
        vectors: bool = False,
    ) -> list[Any]:
        """The first points in the order of one payload value; those without it are left out."""
        found: list[Any] = self._read(
            "scroll",
            scroll_filter=where,
            order_by=order,
            limit=limit,
            with_payload=payload,
            with_vectors=[VECTOR] if vectors else False,
        )[0]
        return found

    def all(
        self,
        where: models.Filter | None,
        *,
        payload: bool | list[str] = True,
        vectors: bool = False,
    ) -> Iterator[Any]:
        """All points that fulfil the filter, in no order."""
        offset = None
        while True:
            points, offset = self._read(
                "scroll",
                scroll_filter=where,
                limit=_CHUNK,
                offset=offset,
                with_payload=payload,
                with_vectors=[VECTOR] if vectors else False,
            )
            yield from points
            if offset is None:
                return

    def fetcher(
        self, where: Sequence[models.Condition], *, vectors: bool = False
    ) -> Callable[[list[models.Condition], models.OrderBy | None, int | None], list[Any]]:
        """How `ordering` reads the points that fulfil these conditions and its own."""

        def fetch(
            conditions: list[models.Condition], order: models.OrderBy | None, limit: int | None
        ) -> list[Any]:
            wanted = [*where, *conditions]
            both = models.Filter(must=wanted) if wanted else None
            if order is None or limit is None:
                return list(self.all(both, vectors=vectors))
            return self.first(both, order, limit=limit, vectors=vectors)

        return fetch

    def get(
        self, product_ids: Iterable[str], *, payload: bool | list[str] = True, vectors: bool = False
    ) -> dict[str, Any]:
        """The points of the products that exist, by product id."""
        ids = [point_id(i) for i in dict.fromkeys(product_ids)]
        found = {}
        for start in range(0, len(ids), _CHUNK):
            for point in self._read(
                "retrieve",
                ids=ids[start : start + _CHUNK],
                with_payload=payload,
                with_vectors=[VECTOR] if vectors else False,
            ):
                found[str(point.payload[ID])] = point
        return found

    def put(self, points: Sequence[models.PointStruct]) -> None:
        """Insert or replace points, durably, in one operation."""
        self._write("upsert", points=list(points))

    def change(self, operations: Sequence[models.UpdateOperation]) -> None:
        """Run operations in their order, durably."""
        self._write("batch_update_points", update_operations=list(operations))

    def drop(self, product_ids: Iterable[str]) -> None:
        """Delete the points of products, durably."""
        self._write(
            "delete", points_selector=models.PointIdsList(points=[point_id(i) for i in product_ids])
        )

    def _read(self, method: str, **arguments: Any) -> Any:
        return self._connection.read(method, collection_name=self._collection, **arguments)

    def _write(self, method: str, **arguments: Any) -> None:
        # wait: the write is durable and visible when the call returns; strong: one node puts all writes in order
        self._connection.write(
            method,
            collection_name=self._collection,
            wait=True,
            ordering=models.WriteOrdering.STRONG,
            **arguments,
        )
