"""The backends that the contract suite runs on: each adds one line, its factory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitrine.index import IndexVersions
from vitrine.settings import Settings

__all__ = ["BACKENDS"]


def _faiss(folder: Path) -> IndexVersions:
    from vitrine.index.faiss import open_versions

    return open_versions(Settings(data_dir=folder))


def _qdrant_local(folder: Path) -> IndexVersions:
    """The client's local mode: the same calls, answered in this process; in memory, for its files are written point by point."""
    from qdrant_client import QdrantClient

    from vitrine.index.qdrant.connection import Connection
    from vitrine.index.qdrant.versions import QdrantVersions

    settings = Settings(data_dir=folder, qdrant_url=":memory:")
    client = _clients.setdefault(folder, QdrantClient(":memory:"))
    return QdrantVersions(Connection(settings, client=client), settings)


_clients: dict[Path, Any] = {}
"""What was opened in which folder, so that it can be opened again."""


BACKENDS: dict[str, Callable[[Path], IndexVersions]] = {"faiss": _faiss, "qdrant-local": _qdrant_local}
"""Name -> a function that opens the (at first empty) versions kept in a folder; called again, it opens the same ones."""
