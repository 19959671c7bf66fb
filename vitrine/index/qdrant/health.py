"""The state of the live collection, and what is wrong with it, for `vitrine doctor`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from qdrant_client import models

from vitrine.fields.schema import Schema
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.indexing import indexed_share
from vitrine.index.qdrant.layout import payload_indexes
from vitrine.index.qdrant.payload import KEYS
from vitrine.settings import QdrantSettings

__all__ = ["CollectionHealth"]

_STATUS = {
    models.CollectionStatus.GREEN: "all indexed",
    models.CollectionStatus.YELLOW: "being indexed",
    models.CollectionStatus.GREY: "indexing waits for the next write",  # codespell:ignore
    models.CollectionStatus.RED: "failed",
}


class CollectionHealth:
    """A collection as Qdrant describes it now."""

    def __init__(self, connection: Connection, collection: str) -> None:
        self._local = connection.local
        self._name = collection
        self._info: models.CollectionInfo = connection.read(
            "get_collection", collection_name=collection
        )
        self._shards: models.CollectionClusterInfo | None = None
        if not connection.local:
            self._shards = connection.read("collection_cluster_info", collection_name=collection)

    def facts(self) -> Iterator[str]:
        """Status, optimizer, size, nodes, shards and copies, a line each."""
        info = self._info
        points = info.points_count or 0
        indexed = round(points * indexed_share(info))
        yield (
            f"collection {self._name}: {info.status} ({_STATUS[info.status]}), "
            f"optimizer {_optimizer(info)}"
        )
        yield f"{points} products, {indexed} of them indexed, {info.segments_count} segments"
        if self._shards is not None:
            states = self._states(self._shards)
            nodes = {peer for copies in states.values() for peer, _ in copies}
            copies = sorted({len(copies) for copies in states.values()})
            yield (
                f"{_number(nodes, 'node')}, {_number(states, 'shard')}, "
                f"copies of a shard: {' to '.join(map(str, copies))}"
            )
            if self._shards.shard_transfers:
                yield f"{len(self._shards.shard_transfers)} shards are being moved between nodes"

    def faults(self, schema: Schema, settings: QdrantSettings) -> Iterator[str]:
        """One sentence with its remedy for each thing that is wrong."""
        if self._info.status == models.CollectionStatus.RED:
            yield (
                f"collection {self._name} is in state red: {_optimizer(self._info)}; "
                "see Qdrant's log"
            )
        if self._local:
            return  # local mode has no payload indexes, nodes or shards
        indexes = payload_indexes(schema, settings)
        if not (self._info.config.metadata or {}).get("words", False):
            # made before words were kept, and texts folded
            indexes = {k: v for k, v in indexes.items() if k != KEYS and "_folded." not in k}
        missing = [key for key in indexes if key not in self._info.payload_schema]
        if missing:
            yield (
                f"collection {self._name} lacks payload indexes ({', '.join(missing)}); "
                "run `vitrine reindex`"
            )
        if self._shards is not None:
            yield from self._shard_faults(self._shards)

    def _shard_faults(self, shards: models.CollectionClusterInfo) -> Iterator[str]:
        expected = self._info.config.params.replication_factor or 1
        for shard, copies in sorted(self._states(shards).items()):
            active = [peer for peer, state in copies if state == models.ReplicaState.ACTIVE]
            if len(active) < expected:
                others = [f"node {peer}: {state}" for peer, state in copies if peer not in active]
                yield (
                    f"shard {shard} of collection {self._name} has {len(active)} of {expected} "
                    f"copies ({', '.join(others) or 'the others are missing'}); start the node, or "
                    "see Qdrant's log for how far it is"
                )

    @staticmethod
    def _states(
        shards: models.CollectionClusterInfo,
    ) -> dict[int, list[tuple[int, models.ReplicaState]]]:
        """By shard: the node and the state of each copy."""
        states: dict[int, list[tuple[int, models.ReplicaState]]] = defaultdict(list)
        for local in shards.local_shards:
            states[local.shard_id].append((shards.peer_id, local.state))
        for remote in shards.remote_shards:
            states[remote.shard_id].append((remote.peer_id, remote.state))
        return states


def _optimizer(info: models.CollectionInfo) -> str:
    return str(getattr(info.optimizer_status, "error", info.optimizer_status))


def _number(things: Collection[object], name: str) -> str:
    count = len(things)
    return f"{count} {name}{'' if count == 1 else 's'}"
