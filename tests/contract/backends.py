"""The backends that the contract suite runs on: each adds one line, its factory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.integration.qdrant.backends import QDRANT
from vitrine.index import IndexVersions
from vitrine.settings import Settings

__all__ = ["BACKENDS"]


def _faiss(folder: Path) -> IndexVersions:
    from vitrine.index.faiss import open_versions

    return open_versions(Settings(data_dir=folder))


BACKENDS: dict[str, Callable[[Path], IndexVersions]] = {"faiss": _faiss, **QDRANT}
"""Name -> a function that opens the versions in a folder, at first none, later the same."""
