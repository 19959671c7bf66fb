"""The backends that the contract suite runs on: each adds one line, its factory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitrine.index import IndexVersions
from vitrine.settings import Settings

__all__ = ["BACKENDS"]


def _faiss(folder: Path) -> IndexVersions:
    from vitrine.index.faiss import open_versions

    return open_versions(Settings(data_dir=folder))


def _qdrant_local(folder: Path) -> IndexVersions:
    """The client's local mode: the same calls, answered in this process."""
    from vitrine.index.qdrant import open_versions

    return open_versions(Settings(data_dir=folder, qdrant_url=str(folder / "qdrant")))


BACKENDS: dict[str, Callable[[Path], IndexVersions]] = {"faiss": _faiss, "qdrant-local": _qdrant_local}
"""Name -> a function that opens the (at first empty) versions kept in a folder; called again, it opens the same ones."""
