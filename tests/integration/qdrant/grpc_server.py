"""A Qdrant server on loopback, for as much of the gRPC API as Vitrine uses, over the engine."""

# ruff: noqa: N802  # the methods bear the names of the protocol

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from qdrant_client import grpc as wire
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.grpc.collections_service_pb2_grpc import (
    CollectionsServicer,
    add_CollectionsServicer_to_server,
)
from qdrant_client.grpc.points_service_pb2_grpc import PointsServicer, add_PointsServicer_to_server

from tests.integration.qdrant.engine import Engine, Refused

__all__ = ["Trouble", "serve"]


class Trouble:
    """What goes wrong: `before` runs at the start of every call and may abort it.

    `seen` is told each call that was let in, such as "Points.Query".
    """

    def __init__(self) -> None:
        self.seen: Callable[[str], None] = lambda call: None
        self.before: Callable[[grpc.ServicerContext], None] = lambda context: None
        self.key: str | None = None

    def check(self, context: grpc.ServicerContext) -> None:
        if self.key is not None and dict(context.invocation_metadata()).get("api-key") != self.key:
            context.abort(
                grpc.StatusCode.UNAUTHENTICATED,
                "Must provide an API key or an Authorization bearer token",
            )
        self.before(context)


@contextmanager
def serve(
    engine: Engine, *, port: int = 0, trouble: Trouble | None = None, host: str = "127.0.0.1"
) -> Iterator[int]:
    """Serve the engine until the block ends; gives the port."""
    server = grpc.server(
        ThreadPoolExecutor(48),
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)],
    )
    handler = _Interceptor(trouble or Trouble())
    add_PointsServicer_to_server(_guarded(_Points(engine), handler), server)
    add_CollectionsServicer_to_server(_guarded(_Collections(engine), handler), server)
    bound = server.add_insecure_port(f"{host}:{port}")
    server.start()
    try:
        yield bound
    finally:
        server.stop(None).wait()


class _Interceptor:
    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    def __call__(
        self, method: Callable[[Any], Any], request: Any, context: grpc.ServicerContext
    ) -> Any:
        self.trouble.check(context)
        owner = type(method.__self__).__name__.removeprefix("_")  # type: ignore[attr-defined]
        self.trouble.seen(f"{owner}.{method.__name__}")
        try:
            return method(request)
        except Refused as error:
            return context.abort(getattr(grpc.StatusCode, error.code), str(error))


def _guarded(servicer: Any, handler: _Interceptor) -> Any:
    for name in servicer.OFFERED:
        method = getattr(servicer, name)
        setattr(
            servicer,
            name,
            lambda request, context, method=method: handler(method, request, context),
        )
    return servicer


def _where(request: Any, name: str = "filter") -> models.Filter | None:
    return GrpcToRest.convert_filter(getattr(request, name)) if request.HasField(name) else None


def _optimizers(request: Any) -> models.OptimizersConfigDiff | None:
    if not request.HasField("optimizers_config"):
        return None
    return GrpcToRest.convert_optimizers_config_diff(request.optimizers_config)


def _vectors(selector: wire.WithVectorsSelector) -> Any:
    return (
        list(selector.include.names)
        if selector.WhichOneof("selector_options") == "include"
        else selector.enable
    )


class _Points(PointsServicer):
    OFFERED = (
        "Query",
        "QueryBatch",
        "Scroll",
        "Count",
        "Facet",
        "Get",
        "Upsert",
        "Delete",
        "UpdateBatch",
        "CreateFieldIndex",
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def Query(self, request: Any) -> Any:
        return wire.QueryResponse(result=self._scored(request))

    def QueryBatch(self, request: Any) -> Any:
        return wire.QueryBatchResponse(
            result=[wire.BatchResult(result=self._scored(query)) for query in request.query_points]
        )

    def _scored(self, request: Any) -> list[Any]:
        asked = models.QueryRequest(
            prefetch=[GrpcToRest.convert_prefetch_query(search) for search in request.prefetch],
            query=GrpcToRest.convert_query(request.query) if request.HasField("query") else None,
            using=request.using,
            filter=_where(request),
            params=GrpcToRest.convert_search_params(request.params)
            if request.HasField("params")
            else None,
            score_threshold=request.score_threshold
            if request.HasField("score_threshold")
            else None,
            limit=request.limit,
            offset=request.offset if request.HasField("offset") else None,
            with_payload=GrpcToRest.convert_with_payload_selector(request.with_payload),
            with_vector=_vectors(request.with_vectors),
        )
        found = self._engine.query(request.collection_name, asked)
        return [RestToGrpc.convert_scored_point(p) for p in found]

    def Scroll(self, request: Any) -> Any:
        asked = models.ScrollRequest(
            filter=_where(request),
            limit=request.limit,
            offset=GrpcToRest.convert_point_id(request.offset)
            if request.HasField("offset")
            else None,
            order_by=GrpcToRest.convert_order_by(request.order_by)
            if request.HasField("order_by")
            else None,
            with_payload=GrpcToRest.convert_with_payload_selector(request.with_payload),
            with_vector=_vectors(request.with_vectors),
        )
        points, offset = self._engine.scroll(request.collection_name, asked)
        following = None if offset is None else RestToGrpc.convert_extended_point_id(offset)
        return wire.ScrollResponse(
            result=[RestToGrpc.convert_record(p) for p in points], next_page_offset=following
        )

    def Count(self, request: Any) -> Any:
        return wire.CountResponse(
            result=wire.CountResult(
                count=self._engine.count(
                    request.collection_name, _where(request), exact=request.exact
                )
            )
        )

    def Facet(self, request: Any) -> Any:
        asked = models.FacetRequest(
            key=request.key, limit=request.limit, filter=_where(request), exact=request.exact
        )
        return wire.FacetResponse(
            hits=[
                RestToGrpc.convert_facet_value_hit(h)
                for h in self._engine.facet(request.collection_name, asked)
            ]
        )

    def Get(self, request: Any) -> Any:
        ids = [GrpcToRest.convert_point_id(i) for i in request.ids]
        wanted = GrpcToRest.convert_with_payload_selector(request.with_payload)
        consistency = (
            GrpcToRest.convert_read_consistency(request.read_consistency)
            if request.HasField("read_consistency")
            else None
        )
        vectors = _vectors(request.with_vectors)
        found = self._engine.retrieve(
            request.collection_name, ids, wanted, vectors, consistency=consistency
        )
        return wire.GetResponse(result=[RestToGrpc.convert_record(p) for p in found])

    def Upsert(self, request: Any) -> Any:
        self._engine.upsert(
            request.collection_name, [GrpcToRest.convert_point_struct(p) for p in request.points]
        )
        return _done()

    def Delete(self, request: Any) -> Any:
        self._engine.delete_points(
            request.collection_name, GrpcToRest.convert_points_selector(request.points).points
        )
        return _done()

    def UpdateBatch(self, request: Any) -> Any:
        for message in request.operations:
            operation = GrpcToRest.convert_points_update_operation(message)
            if isinstance(operation, models.UpdateVectorsOperation):
                self._engine.update_vectors(request.collection_name, operation.update_vectors)
            else:
                self._engine.overwrite(request.collection_name, operation.overwrite_payload)
        return wire.UpdateBatchResponse(
            result=[
                wire.UpdateResult(status=wire.UpdateStatus.Completed) for _ in request.operations
            ]
        )

    def CreateFieldIndex(self, request: Any) -> Any:
        schema = GrpcToRest.convert_payload_schema_params(request.field_index_params)
        self._engine.create_index(request.collection_name, request.field_name, schema)
        return _done()


def _done() -> Any:
    return wire.PointsOperationResponse(
        result=wire.UpdateResult(status=wire.UpdateStatus.Completed)
    )


class _Collections(CollectionsServicer):
    OFFERED = (
        "List",
        "ListAliases",
        "Get",
        "Create",
        "Update",
        "Delete",
        "UpdateAliases",
        "CollectionClusterInfo",
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def List(self, request: Any) -> Any:
        return wire.ListCollectionsResponse(
            collections=[wire.CollectionDescription(name=n) for n in list(self._engine.collections)]
        )

    def ListAliases(self, request: Any) -> Any:
        pairs = list(self._engine.aliases.items())
        return wire.ListAliasesResponse(
            aliases=[wire.AliasDescription(alias_name=a, collection_name=c) for a, c in pairs]
        )

    def Get(self, request: Any) -> Any:
        info = RestToGrpc.convert_collection_info(self._engine.info(request.collection_name))
        return wire.GetCollectionInfoResponse(result=info)

    def CollectionClusterInfo(self, request: Any) -> Any:
        return RestToGrpc.convert_collection_cluster_info(
            self._engine.cluster_info(request.collection_name)
        )

    def Create(self, request: Any) -> Any:
        asked = models.CreateCollection(
            vectors=GrpcToRest.convert_vectors_config(request.vectors_config),
            sparse_vectors=GrpcToRest.convert_sparse_vector_config(request.sparse_vectors_config),
            hnsw_config=GrpcToRest.convert_hnsw_config_diff(request.hnsw_config),
            strict_mode_config=GrpcToRest.convert_strict_mode_config(request.strict_mode_config),
            shard_number=request.shard_number,
            optimizers_config=_optimizers(request),
            metadata=GrpcToRest.convert_payload(request.metadata),
        )
        self._engine.create(request.collection_name, asked)
        return wire.CollectionOperationResponse(result=True)

    def Update(self, request: Any) -> Any:
        metadata = GrpcToRest.convert_payload(request.metadata)
        self._engine.update(request.collection_name, metadata, _optimizers(request))
        return wire.CollectionOperationResponse(result=True)

    def Delete(self, request: Any) -> Any:
        return wire.CollectionOperationResponse(result=self._engine.delete(request.collection_name))

    def UpdateAliases(self, request: Any) -> Any:
        self._engine.change_aliases(
            [GrpcToRest.convert_alias_operations(a) for a in request.actions]
        )
        return wire.CollectionOperationResponse(result=True)
