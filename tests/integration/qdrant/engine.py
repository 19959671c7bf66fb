"""Collections of Qdrant's own engine (`qdrant-edge-py`) with the server's rules around it: aliases,
metadata, strict mode.

Requests and answers are the models of the client's HTTP API. Filters, payload indexes, orders,
facets and scores are the engine's.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from qdrant_client import QdrantClient, models

from tests.integration.qdrant.engine_filters import engine_filter, filtered_keys

__all__ = ["Engine", "Refused"]


class Refused(Exception):
    """A request that a server answers with an error; `code` is gRPC's name for it."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass
class Collection:
    """One shard and what a server keeps beside it."""

    shard: edge.EdgeShard
    created: models.CreateCollection
    metadata: dict[str, Any]
    indexing_threshold: int | None = None
    indexes: dict[str, Any] = field(default_factory=dict)
    built: set[str] = field(default_factory=set)
    """The indexes that the engine has made: each takes files and time, so they are made when they
    are first used."""

    def build(self, keys: Iterable[str]) -> None:
        """Let the engine make those indexes of these keys that it has not made yet."""
        for key in self.indexes.keys() & set(keys) - self.built:
            self.shard.update(
                edge.UpdateOperation.create_field_index(key, _index(self.indexes[key]))
            )
            self.built.add(key)


class Engine:
    """All collections of one server."""

    def __init__(self) -> None:
        # in memory where there is a file system for it: the engine syncs every index that it makes
        memory = Path("/dev/shm")
        self._folder = Path(
            tempfile.mkdtemp(prefix="qdrant-engine-", dir=memory if memory.is_dir() else None)
        )
        self._made = 0
        self._lock = threading.RLock()
        self.collections: dict[str, Collection] = {}
        self.aliases: dict[str, str] = {}
        self.batches: list[int] = []
        self.clusters: dict[str, models.CollectionClusterInfo] = {}

    def close(self) -> None:
        """Close and remove everything."""
        for name in list(self.collections):
            self.delete(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    # collections

    def create(self, name: str, request: models.CreateCollection) -> None:
        with self._lock:
            if name in self.collections or name in self.aliases:
                raise Refused("ALREADY_EXISTS", f"Wrong input: Collection `{name}` already exists!")
            vectors = {
                n: edge.EdgeVectorParams(
                    p.size,
                    edge.Distance.Cosine,
                    multivector_config=None
                    if p.multivector_config is None
                    else edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
                )
                for n, p in request.vectors.items()
            }
            hnsw = request.hnsw_config
            config = edge.EdgeConfig(
                vectors=vectors,
                sparse_vectors={
                    n: edge.EdgeSparseVectorParams() for n in request.sparse_vectors or {}
                },
                hnsw_config=edge.HnswIndexConfig(
                    m=16 if hnsw.m is None else hnsw.m,
                    ef_construct=hnsw.ef_construct or 100,
                    full_scan_threshold=1,
                ),
                optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1),
            )
            self._made += 1
            shard = edge.EdgeShard.create(str(self._folder / f"{self._made}"), config)
            optimizers = request.optimizers_config or models.OptimizersConfigDiff()
            self.collections[name] = Collection(
                shard, request, dict(request.metadata or {}), optimizers.indexing_threshold
            )

    def update(
        self, name: str, metadata: dict[str, Any], optimizers: models.OptimizersConfigDiff | None
    ) -> None:
        found = self._found(name)
        found.metadata |= metadata
        if optimizers is not None and optimizers.indexing_threshold is not None:
            found.indexing_threshold = optimizers.indexing_threshold

    def delete(self, name: str) -> bool:
        with self._lock:
            gone = self.collections.pop(name, None)
            self.aliases = {a: n for a, n in self.aliases.items() if n != name}
        if gone is not None:
            gone.shard.close()
        return gone is not None

    def change_aliases(self, steps: list[Any]) -> None:
        """All steps or none."""
        with self._lock:
            changed = dict(self.aliases)
            for step in steps:
                if isinstance(step, models.DeleteAliasOperation):
                    if changed.pop(step.delete_alias.alias_name, None) is None:
                        raise Refused(
                            "NOT_FOUND",
                            f"Not found: Alias `{step.delete_alias.alias_name}` doesn't exist!",
                        )
                else:
                    self._found(step.create_alias.collection_name)
                    changed[step.create_alias.alias_name] = step.create_alias.collection_name
            self.aliases = changed
            self.batches.append(len(steps))

    def create_index(self, name: str, key: str, schema: Any) -> None:
        collection = self._found(name)
        with self._lock:
            collection.indexes[key] = schema
            collection.built.discard(key)

    def info(self, name: str) -> models.CollectionInfo:
        found = self._found(name)
        described = QdrantClient(":memory:")  # the client knows how a server describes a collection
        described.create_collection(
            "described",
            vectors_config=found.created.vectors,
            sparse_vectors_config=found.created.sparse_vectors,
        )
        indexes = {
            k: models.PayloadIndexInfo(data_type=models.PayloadSchemaType(s.type.value), points=0)
            for k, s in found.indexes.items()
        }
        info = described.get_collection("described")
        info.config.metadata = found.metadata
        info.config.params.replication_factor = found.created.replication_factor
        info.config.optimizer_config.indexing_threshold = found.indexing_threshold
        points = found.shard.count(edge.CountRequest(exact=True))
        return info.model_copy(update={"payload_schema": indexes, "points_count": points})

    def cluster_info(self, name: str) -> models.CollectionClusterInfo:
        """One node with one shard, or what a test puts into `clusters`."""
        self._found(name)
        shard = models.LocalShardInfo(shard_id=0, points_count=0, state=models.ReplicaState.ACTIVE)
        alone = models.CollectionClusterInfo(
            peer_id=1, shard_count=1, local_shards=[shard], remote_shards=[], shard_transfers=[]
        )
        return self.clusters.get(name, alone)

    # reads

    def query(self, name: str, request: models.QueryRequest) -> list[models.ScoredPoint]:
        collection = self._found(name)
        if isinstance(request.query, models.OrderByQuery):
            self._build(collection, {request.query.order_by.key})
        points = collection.shard.query(
            edge.QueryRequest(
                limit=request.limit,
                offset=request.offset,
                query=_scoring(request),
                prefetches=self._prefetches(collection, request),
                filter=self._filter(collection, request.filter),
                score_threshold=request.score_threshold,
                params=_search_params(request.params or models.SearchParams()),
                with_payload=_payload(request.with_payload),
                with_vector=_vector(request.with_vector),
            )
        )
        return [
            models.ScoredPoint(
                id=str(p.id),
                version=0,
                score=p.score,
                payload=p.payload or {},
                vector=_client_vectors(p.vector),
            )
            for p in points
        ]

    def _prefetches(
        self, collection: Collection, request: models.QueryRequest | models.Prefetch
    ) -> list[edge.Prefetch]:
        listed = request.prefetch or []
        return [
            edge.Prefetch(
                limit=proposed.limit,
                query=_scoring(proposed),
                prefetches=self._prefetches(collection, proposed),
                filter=self._filter(collection, proposed.filter),
                score_threshold=proposed.score_threshold,
                params=_search_params(proposed.params or models.SearchParams()),
            )
            for proposed in (listed if isinstance(listed, list) else [listed])
        ]

    def scroll(self, name: str, request: models.ScrollRequest) -> tuple[list[models.Record], Any]:
        collection = self._found(name)
        order = request.order_by
        if order is not None:
            self._build(collection, {order.key})
        points, offset = _asked(
            lambda: collection.shard.scroll(
                edge.ScrollRequest(
                    offset=request.offset,
                    limit=request.limit,
                    filter=self._filter(collection, request.filter),
                    order_by=None if order is None else _order(order),
                    with_payload=_payload(request.with_payload),
                    with_vector=_vector(request.with_vector),
                )
            )
        )
        return [_record(p) for p in points], None if offset is None else str(offset)

    def count(self, name: str, where: models.Filter | None, *, exact: bool) -> int:
        collection = self._found(name)
        return collection.shard.count(
            edge.CountRequest(exact=exact, filter=self._filter(collection, where))
        )

    def facet(self, name: str, request: models.FacetRequest) -> list[models.FacetValueHit]:
        collection = self._found(name)
        self._build(collection, {request.key})
        asked = edge.FacetRequest(
            request.key,
            limit=request.limit,
            exact=bool(request.exact),
            filter=self._filter(collection, request.filter),
        )
        return [
            models.FacetValueHit(value=hit.value, count=hit.count)
            for hit in _asked(lambda: collection.shard.facet(asked))
        ]

    def retrieve(
        self,
        name: str,
        ids: list[Any],
        with_payload: Any,
        with_vector: Any,
        *,
        consistency: models.ReadConsistencyType | None = None,
    ) -> list[models.Record]:
        """There is one copy, which agrees with itself."""
        found = self._found(name).shard.retrieve(
            list(ids), _payload(with_payload), _vector(with_vector)
        )
        return [_record(p) for p in found]

    # writes

    def upsert(self, name: str, points: list[models.PointStruct]) -> None:
        made = [edge.Point(p.id, _engine_vectors(p.vector), p.payload) for p in points]
        self._found(name).shard.update(edge.UpdateOperation.upsert_points(made))

    def delete_points(self, name: str, ids: list[Any]) -> None:
        self._found(name).shard.update(edge.UpdateOperation.delete_points(list(ids)))

    def overwrite(self, name: str, change: models.SetPayload) -> None:
        collection = self._found(name)
        # the engine has no overwrite under a filter; a server resolves the filter to ids first, as
        # is done here
        with self._lock:
            points, _ = collection.shard.scroll(
                edge.ScrollRequest(limit=10_000, filter=self._filter(collection, change.filter))
            )
            if points:
                collection.shard.update(
                    edge.UpdateOperation.overwrite_payload([p.id for p in points], change.payload)
                )

    def update_vectors(self, name: str, change: models.UpdateVectors) -> None:
        """As a server does: those that fulfill the filter, then 404 for one that does not exist."""
        collection = self._found(name)
        ids = [p.id for p in change.points]
        with self._lock:
            existing = {str(p.id) for p in collection.shard.retrieve(ids, False, False)}
            where = models.Filter(
                must=[change.update_filter or models.Filter(), models.HasIdCondition(has_id=ids)]
            )
            points, _ = collection.shard.scroll(
                edge.ScrollRequest(limit=10_000, filter=self._filter(collection, where))
            )
            matching = {str(p.id) for p in points}
            made = [
                edge.PointVectors(p.id, _engine_vectors(p.vector))
                for p in change.points
                if str(p.id) in matching
            ]
            if made:
                collection.shard.update(edge.UpdateOperation.update_vectors(made))
        missing = [i for i in ids if str(i) not in existing]
        if missing:
            raise Refused("NOT_FOUND", f"Not found: No point with id {missing[0]} found")

    def build_graph(self, name: str) -> None:
        """Run the optimizer, so that searches go through the graph."""
        collection = self._found(name)
        self._build(collection, collection.indexes)
        collection.shard.optimize()

    def _found(self, name: str) -> Collection:
        with self._lock:
            found = self.collections.get(self.aliases.get(name, name))
        if found is None:
            raise Refused("NOT_FOUND", f"Not found: Collection `{name}` doesn't exist!")
        return found

    def _filter(self, collection: Collection, where: models.Filter | None) -> edge.Filter | None:
        if where is None:
            return None
        keys = filtered_keys(where)
        strict = collection.created.strict_mode_config
        if strict is not None and strict.enabled and strict.unindexed_filtering_retrieve is False:
            for key in keys:
                if key not in collection.indexes:
                    raise Refused(
                        "INVALID_ARGUMENT",
                        f'Bad request: Index required but not found for "{key}" of one of the '
                        "following types",
                    )
        self._build(collection, keys)
        return engine_filter(where, collection.shard)

    def _build(self, collection: Collection, keys: Iterable[str]) -> None:
        with self._lock:
            collection.build(keys)


def _scoring(request: models.QueryRequest | models.Prefetch) -> Any:
    query = request.query
    if query is None:
        return None
    if isinstance(query, models.OrderByQuery):
        return _order(query.order_by)
    vector = query.nearest if isinstance(query, models.NearestQuery) else query
    return edge.Query.Nearest(_engine_vector(vector), using=request.using)


def _order(order: models.OrderBy) -> edge.OrderBy:
    descending = order.direction == models.Direction.DESC
    direction = edge.Direction.Desc if descending else edge.Direction.Asc
    return edge.OrderBy(order.key, direction, order.start_from)


def _search_params(params: models.SearchParams) -> edge.SearchParams:
    acorn = params.acorn
    return edge.SearchParams(
        hnsw_ef=params.hnsw_ef,
        exact=bool(params.exact),
        acorn=None
        if acorn is None
        else edge.AcornSearchParams(enable=acorn.enable, max_selectivity=acorn.max_selectivity),
    )


def _asked(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # the engine raises bare Exceptions
        raise Refused("INVALID_ARGUMENT", f"Bad request: {error}") from error


def _engine_vector(vector: Any) -> Any:
    if isinstance(vector, models.SparseVector):
        return edge.SparseVector(vector.indices, vector.values)
    return list(vector)


def _engine_vectors(named: Any) -> dict[str, Any]:
    return {name: _engine_vector(vector) for name, vector in named.items()}


def _client_vectors(named: Any) -> Any:
    if named is None:
        return None
    return {
        name: models.SparseVector(indices=vector.indices, values=vector.values)
        if isinstance(vector, edge.SparseVector)
        else vector
        for name, vector in named.items()
    }


def _record(point: Any) -> models.Record:
    return models.Record(
        id=str(point.id),
        payload=point.payload or {},
        vector=_client_vectors(point.vector),
        order_value=getattr(point, "order_value", None),
    )


def _payload(wanted: Any) -> Any:
    if isinstance(wanted, models.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(wanted.exclude)
    return (
        edge.PayloadSelector.Include(
            wanted.include if isinstance(wanted, models.PayloadSelectorInclude) else wanted
        )
        if isinstance(wanted, list | models.PayloadSelectorInclude)
        else bool(wanted)
    )


def _vector(wanted: Any) -> Any:
    return wanted if isinstance(wanted, list) else bool(wanted)


def _index(schema: Any) -> Any:
    kind = {
        models.KeywordIndexParams: edge.KeywordIndexParams,
        models.IntegerIndexParams: edge.IntegerIndexParams,
        models.FloatIndexParams: edge.FloatIndexParams,
        models.BoolIndexParams: edge.BoolIndexParams,
        models.DatetimeIndexParams: edge.DatetimeIndexParams,
        models.TextIndexParams: edge.TextIndexParams,
    }[type(schema)]
    given = {n: v for n, v in schema.model_dump(exclude_none=True).items() if n != "type"}
    if "tokenizer" in given:
        given["tokenizer"] = getattr(edge.TokenizerType, schema.tokenizer.value.capitalize())
    return kind(**given)
