"""The Qdrant backend: one collection per index version, an alias as the pointer to the live one."""

from __future__ import annotations

from vitrine.index.ports import IndexVersions
from vitrine.settings import QdrantSettings

__all__ = ["open_versions"]


def open_versions(settings: QdrantSettings) -> IndexVersions:
    """The versions on the configured Qdrant server, or in the client's local mode.

    No connection is made before the first call.
    """
    from vitrine.index.qdrant.connection import Connection
    from vitrine.index.qdrant.versions import QdrantVersions

    return QdrantVersions(Connection(settings), settings)
