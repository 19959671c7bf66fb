"""The search models that versions have learnt, kept in Qdrant where every process finds them.

A search model is a few megabytes, too many for a collection's metadata. So it lies in parts in a
collection of its own, `PREFIX-search-models`, one for all versions of a catalog, and the metadata
of a version names the parts. That name is written last: a model is there whole or not at all.
"""

from __future__ import annotations

import base64
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from vitrine.errors import Conflict
from vitrine.index.fusion import SearchModel
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.point import WORDS, NewPoint
from vitrine.index.qdrant.pointer import FRESH_FOR_S
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.settings import QdrantSettings

__all__ = ["SEARCH_MODEL", "ModelName", "SearchModels", "StoredModel"]

SEARCH_MODEL = "search_model"
"""The key of a version's metadata that names its search model."""
_PART = 1_000_000
"""Bytes of a part: far below what one request may hold (32 MB), and a gRPC message (4 MB)."""
_PARTS = uuid.UUID("0b0b6f36-0a3e-5d0e-8a3f-9d1c2c5a7f10")
_TRIES = 3
"""How often a model that was replaced while it was being read is looked up again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelName:
    """Where the parts of a version's search model lie."""

    version: str
    key: str
    parts: int

    @classmethod
    def of(cls, version: str, metadata: Mapping[str, Any]) -> ModelName | None:
        """What a version's metadata names; None before the version has learnt."""
        stored = metadata.get(SEARCH_MODEL)
        return None if stored is None else cls(version, str(stored["key"]), int(stored["parts"]))

    def metadata(self) -> dict[str, Any]:
        """The entry of the version's metadata that names it."""
        return {SEARCH_MODEL: {"key": self.key, "parts": self.parts}}

    def ids(self) -> list[str]:
        """The points that hold the parts."""
        return [
            str(uuid.uuid5(_PARTS, f"{self.version}/{self.key}/{part}"))
            for part in range(self.parts)
        ]


class SearchModels:
    """The search models of all versions of a catalog."""

    def __init__(self, connection: Connection, settings: QdrantSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._collection = f"{settings.qdrant_prefix}-search-models"
        no_vectors = VectorLayout(several_pictures=False, texts=False)
        self._points = Points(connection, self._collection, settings, no_vectors)

    def write(self, version: str, model: SearchModel) -> ModelName:
        """Store the parts of a model; a version's metadata is still to name them."""
        stored = model.to_bytes()
        parts = [stored[start : start + _PART] for start in range(0, len(stored), _PART)]
        name = ModelName(version, model.key, len(parts))
        self._make_collection()
        for point_id, part in zip(name.ids(), parts, strict=True):
            data = base64.b64encode(part).decode()
            self._points.upsert([NewPoint(point_id, {"version": version, "data": data}, {})])
        return name

    def read(self, name: ModelName) -> SearchModel | None:
        """The model of that name; None where parts of it are missing.

        `ValueError` where it is damaged.
        """
        ids = name.ids()
        parts = [self._points.retrieve([i]).get(i) for i in ids]
        data = [base64.b64decode(part.payload["data"]) for part in parts if part is not None]
        return None if len(data) < len(ids) else SearchModel.from_bytes(b"".join(data))

    def delete(self, name: ModelName) -> None:
        """Remove the parts of a model that no version names any more."""
        self._points.delete_points(name.ids())

    def _make_collection(self) -> None:
        described = self._connection.read("get_collections").collections
        if any(c.name == self._collection for c in described):
            return
        with suppress(Conflict):  # another process was quicker
            self._connection.manage(
                "create_collection",
                collection_name=self._collection,
                vectors_config={},
                # a collection needs some vector, though no point here has one
                sparse_vectors_config={WORDS: models.SparseVectorParams()},
                shard_number=1,
                replication_factor=self._settings.qdrant_replicas,
                on_disk_payload=True,
            )


class StoredModel:
    """The search model of one version, at most `FRESH_FOR_S` old; safe to use from several
    threads."""

    def __init__(
        self,
        store: SearchModels,
        *,
        name: Callable[[], ModelName | None],
        changes: Callable[[], int],
    ) -> None:
        """`name` asks Qdrant which model is the version's; `changes` is another number after every
        change that this process made."""
        self._store = store
        self._name = name
        self._changes = changes
        self._read: tuple[ModelName | None, SearchModel | None] = (None, None)
        self._changes_then = -1
        self._until = 0.0
        self._lock = threading.Lock()

    def current(self) -> SearchModel | None:
        """The newest one, None before any; microseconds where it was looked up a moment ago.

        It is derived: one that is damaged, or of another release's making, counts as none, which
        the log tells; the next ingest, or `vitrine learn`, makes it anew. `VersionGone` as every
        read.
        """
        if self._fresh():
            return self._read[1]
        known = self._read[1] is not None and self._changes_then == self._changes()
        if not self._lock.acquire(blocking=not known):
            return self._read[1]  # another thread is looking it up
        try:
            if not self._fresh():
                changes = self._changes()
                self._look_up()
                self._changes_then, self._until = changes, time.monotonic() + FRESH_FOR_S
            return self._read[1]
        finally:
            self._lock.release()

    def _fresh(self) -> bool:
        return self._changes_then == self._changes() and time.monotonic() < self._until

    def _look_up(self) -> None:
        for _ in range(_TRIES):
            name = self._name()
            if name == self._read[0] and (name is None or self._read[1] is not None):
                return
            model, fault = None, "parts of it are missing"
            if name is not None:
                try:
                    model = self._store.read(name)
                except (ValueError, KeyError) as error:
                    fault = str(error)
            self._read = (name, model)
            if name is None or model is not None:
                return
        log.warning(
            "the search model of version %s cannot be used (%s), so words do not count; "
            "`vitrine learn` makes it anew",
            "" if name is None else name.version,
            fault,
        )
