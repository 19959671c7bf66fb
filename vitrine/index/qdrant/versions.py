"""All versions of a catalog in Qdrant: created, opened, taught, published and discarded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from vitrine.errors import Conflict, IndexUnavailable, NotFound, VersionGone, VitrineError
from vitrine.fields.schema import Schema
from vitrine.index.fusion import SearchModel
from vitrine.index.ports import VectorIndex, VersionFilling, VersionInfo
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.health import CollectionHealth
from vitrine.index.qdrant.index import QdrantIndex
from vitrine.index.qdrant.indexing import build_index
from vitrine.index.qdrant.pointer import FRESH_FOR_S, LivePointer
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.quantization import refuse_unknown_quantization
from vitrine.index.qdrant.search_models import ModelName, SearchModels, StoredModel
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.index.qdrant.version_collections import VersionCollections
from vitrine.index.qdrant.version_metadata import ready_metadata
from vitrine.index.version_rules import (
    discard_surplus,
    nothing_live,
    still_building,
    still_live,
    unknown_version,
    version_name,
)
from vitrine.settings import QdrantSettings

__all__ = ["QdrantVersions"]

_PAUSE_S = 0.05
"""Between two reads of what the nodes of a cluster have to agree on."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open version, what the pointer's `changes` were then, and until when it is relied on."""

    index: QdrantIndex
    changes: int
    until: float


class QdrantVersions:
    """See `IndexVersions`."""

    def __init__(self, connection: Connection, settings: QdrantSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._collections = VersionCollections(connection, settings)
        catalog = (settings.qdrant_url, settings.qdrant_grpc_port, settings.qdrant_prefix)
        self._pointer = LivePointer(catalog, self._collections.live_name)
        self._opened: dict[str, _Opened] = {}
        self._models = SearchModels(connection, settings)
        self._stored: dict[str, StoredModel] = {}

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Schema,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> VectorIndex:
        """A new, empty collection with all its payload indexes, in state "building".

        `InvalidSettings` where the server does not know what is asked of it.
        """
        refuse_unknown_quantization(self._connection, self._settings)
        created = datetime.now(UTC)
        name = version_name(model, created, self._collections.names())
        info = VersionInfo(
            name=name,
            backend="qdrant",
            model=model,
            fingerprint=fingerprint,
            dimension=dimension,
            schema=schema,
            mapping=mapping,
            created=created,
            text_vectors=text_vectors,
        )
        self._collections.create(info)
        return self.open(name)

    def open(self, name: str) -> VectorIndex:
        """Open a version by name; `NotFound` when there is none.

        One that is open already is asked for again only after `FRESH_FOR_S`, or when this process
        has published or discarded a version since.
        """
        now, changes = time.monotonic(), self._pointer.changes
        opened = self._opened.get(name)
        if opened is not None and opened.changes == changes:
            if now < opened.until:
                return opened.index
            if name in self._collections.names():
                self._opened[name] = replace(opened, until=now + FRESH_FOR_S)
                return opened.index
        self._opened.pop(name, None)
        info = self._collections.info(name)
        points = Points(
            self._connection,
            self._collections.collection(name),
            self._settings,
            VectorLayout.of(info),
            on_gone=lambda: self._forget(name),
        )
        index = QdrantIndex(points, info, self._settings, self._stored_model(name))
        self._opened[name] = _Opened(index, changes, now + FRESH_FOR_S)
        return index

    def live(self) -> VectorIndex:
        """The version that the alias names now; `NoLiveVersion` before the first publish.

        What another process has published is seen after `FRESH_FOR_S` at the latest.
        """
        name = self._pointer.name()
        if name is None:
            raise nothing_live()
        opened = self._opened.get(name)
        if opened is not None and opened.changes == self._pointer.changes:
            return opened.index  # an alias names no collection that is gone
        return self.open(name)

    def learn(self, name: str, model: SearchModel) -> None:
        """Store what was learnt and have the version name it; other processes see it within
        `FRESH_FOR_S`.

        `Conflict` for a version made before words were kept.
        """
        if not self._collections.info(name).words:
            raise Conflict(
                f"version {name} keeps no words because an earlier release made it; "
                "run `vitrine reindex`"
            )
        before = self._model_name(name)
        now = self._models.write(name, model)
        self._connection.write(
            "update_collection",
            collection_name=self._collections.collection(name),
            metadata=now.metadata(),
        )
        self._pointer.changed()
        if before is not None and before != now:
            self._models.delete(before)

    def _model_name(self, name: str) -> ModelName | None:
        try:
            return ModelName.of(name, self._collections.metadata(name))
        except VersionGone:
            self._forget(name)
            raise

    def _stored_model(self, name: str) -> StoredModel:
        """The search model of a version; opening the version again does not read it again."""
        if name not in self._stored:
            self._stored[name] = StoredModel(
                self._models,
                name=lambda: self._model_name(name),
                changes=lambda: self._pointer.changes,
            )
        return self._stored[name]

    def build_index(self, name: str, *, progress: Callable[[float], None] = lambda _: None) -> None:
        """Have the graph built, which is put off while a version is filled, and wait for it."""
        info = self._collections.info(name)
        if not self._connection.local:  # local mode compares everything
            collection = self._collections.collection(name)
            build_index(self._connection, collection, dimension=info.dimension, progress=progress)

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        """Mark a building version as "ready", and see that Qdrant says so."""
        self.build_index(name)
        self._connection.write(
            "update_collection",
            collection_name=self._collections.collection(name),
            metadata=ready_metadata(filling),
        )
        self._await_ready(name)

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        """Point the alias at a version, in one request; returns the previous live name."""
        info = self._collections.info(name)
        if info.state == "building":
            raise still_building(name)
        if verify is not None:
            verify(self.open(name))
        previous = self._collections.live_name()
        try:
            self._collections.point_alias(name, replacing=previous)
        finally:
            self._pointer.changed()  # a request that failed for us may have been carried out
        return previous

    def discard(self, name: str) -> None:
        """Delete a version; `Conflict` for the live one, `NotFound` for an unknown one."""
        if name == self._collections.live_name():
            raise still_live(name)
        if name not in self._collections.names():
            raise unknown_version(name)
        self._opened.pop(name, None)
        self._stored.pop(name, None)
        learnt = self._model_name(name)
        try:
            self._connection.write(
                "delete_collection", collection_name=self._collections.collection(name)
            )
        finally:
            self._pointer.changed()
        if learnt is not None:
            self._models.delete(learnt)

    def list(self) -> list[VersionInfo]:
        """All versions, newest first, with their state and count."""
        live = self._collections.live_name()
        infos = []
        for name in sorted(self._collections.names(), reverse=True):
            try:
                info = self._collections.info(name, live=live)
                count = self._connection.read(
                    "count", collection_name=self._collections.collection(name), exact=True
                ).count
            except (NotFound, VersionGone):
                continue  # discarded meanwhile
            infos.append(replace(info, count=int(count)))
        return infos

    def prune(self, *, keep: int, spare: str | None = None) -> Sequence[str]:
        """Discard ready versions but `spare` and the newest, `keep` in all; returns their names."""
        ready = [info.name for info in self.list() if info.state == "ready"]
        return discard_surplus(ready, self.discard, keep=keep, spare=spare)

    def check(self) -> Iterable[str]:
        """What stands between Qdrant and an answer; empty when all is well."""
        try:
            return list(self._faults())
        except VitrineError as error:
            return [str(error)]

    def describe(self) -> Iterable[str]:
        """The live collection in a few lines: status, optimizer, size, nodes, shards, copies."""
        name = self._collections.live_name()
        return [] if name is None else list(self._health(name).facts())

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._opened.clear()
        self._connection.close()

    def _forget(self, name: str) -> None:
        """Drop what is cached, because a version turned out to be gone."""
        self._opened.pop(name, None)
        self._pointer.forget()

    def _await_ready(self, name: str) -> None:
        """Wait until the state that was written is read back: nodes of a cluster learn it in
        turn."""
        until = time.monotonic() + self._settings.qdrant_write_timeout_s
        while self._collections.info(name).state == "building":
            if time.monotonic() > until:
                raise IndexUnavailable(
                    f"Qdrant accepted the new state of version {name} but answers the old one; "
                    "check with `vitrine doctor` whether its nodes are well, and try again"
                )
            time.sleep(_PAUSE_S)

    def _faults(self) -> Iterator[str]:
        name = self._collections.live_name()
        if name is not None:  # nothing is wrong with an empty Qdrant
            schema = self._collections.info(name).schema
            yield from self._health(name).faults(schema, self._settings)

    def _health(self, name: str) -> CollectionHealth:
        return CollectionHealth(self._connection, self._collections.collection(name))
