"""Collections `PREFIX-VERSION`, each with what its version says of itself as metadata, and the
alias `PREFIX-live`: all that there is of the versions of a catalog is in Qdrant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qdrant_client import models

from vitrine.errors import IndexUnavailable
from vitrine.index.ports import VersionInfo
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.indexing import INDEXING_OFF
from vitrine.index.qdrant.layout import collection_arguments, payload_indexes
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.index.qdrant.version_metadata import new_metadata, read_metadata
from vitrine.index.version_rules import is_version_name, unknown_version
from vitrine.settings import QdrantSettings

__all__ = ["VersionCollections"]


class VersionCollections:
    """The collections and the alias of one prefix, asked of Qdrant at every call."""

    def __init__(self, connection: Connection, settings: QdrantSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._prefix = settings.qdrant_prefix
        self._alias = f"{self._prefix}-live"

    def create(self, info: VersionInfo) -> None:
        """An empty collection for a new version, with all its payload indexes."""
        self._connection.manage(
            "create_collection",
            collection_name=self.collection(info.name),
            metadata=new_metadata(info),
            optimizers_config=INDEXING_OFF,
            **collection_arguments(self._settings, VectorLayout.of(info), info.dimension),
        )
        if self._connection.local:
            return  # local mode has no payload indexes
        for key, index in payload_indexes(info.schema, self._settings).items():
            self._connection.write(
                "create_payload_index",
                collection_name=self.collection(info.name),
                field_name=key,
                field_schema=index,
                wait=True,
            )

    def collection(self, name: str) -> str:
        """The name of a version's collection."""
        return f"{self._prefix}-{name}"

    def names(self) -> list[str]:
        """The versions that there are, in no order."""
        collections = self._connection.read("get_collections").collections
        start = f"{self._prefix}-"
        return [
            rest
            for name in (c.name for c in collections)
            if name.startswith(start) and is_version_name(rest := name.removeprefix(start))
        ]

    def live_name(self) -> str | None:
        """The version that the alias names; None before the first publish."""
        aliases = self._connection.read("get_aliases").aliases
        live = next((a.collection_name for a in aliases if a.alias_name == self._alias), None)
        return None if live is None else live.removeprefix(f"{self._prefix}-")

    def point_alias(self, name: str, *, replacing: str | None) -> None:
        """Have the alias name a version, in one request, instead of the one `replacing` if any."""
        steps: list[Any] = []
        if replacing is not None:
            steps.append(
                models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias))
            )
        created = models.CreateAlias(collection_name=self.collection(name), alias_name=self._alias)
        steps.append(models.CreateAliasOperation(create_alias=created))
        self._connection.manage("update_collection_aliases", change_aliases_operations=steps)

    def metadata(self, name: str) -> Mapping[str, Any]:
        """What is stored with a version's collection; `VersionGone` where there is none."""
        described: models.CollectionInfo = self._connection.read(
            "get_collection", collection_name=self.collection(name)
        )
        return described.config.metadata or {}

    def info(self, name: str, *, live: str | None = None) -> VersionInfo:
        """What a version says of itself, without its count; `live` is the live one, if known.

        `NotFound` for an unknown version, `IndexUnavailable` for one that cannot be read.
        """
        if name not in self.names():
            raise unknown_version(name)
        info = read_metadata(name, self.metadata(name))
        if info is None:
            raise IndexUnavailable(
                f"collection {self.collection(name)} has no metadata that Vitrine can read; "
                "run Qdrant 1.16 or newer and `vitrine reindex`"
            )
        live = self.live_name() if live is None else live
        return replace(info, state="live") if name == live else info
