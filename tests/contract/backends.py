"""The backends that the contract suite runs on: each adds one line, its factory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
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


def _qdrant_engine(folder: Path) -> IndexVersions:
    """Qdrant's own engine behind its gRPC protocol, on loopback."""
    from tests.integration.qdrant.engine import Engine
    from tests.integration.qdrant.grpc_server import serve
    from vitrine.index.qdrant import open_versions

    if folder not in _servers:
        for _, stopped in _servers.values():  # of the test before
            stopped.close()
        _servers.clear()
        server = ExitStack()
        engine = server.enter_context(closing(Engine()))
        _servers[folder] = (server.enter_context(serve(engine)), server)
    return open_versions(Settings(data_dir=folder, qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=_servers[folder][0]))


_servers: dict[Path, tuple[int, ExitStack]] = {}
"""Port and server of the folder in use."""

BACKENDS: dict[str, Callable[[Path], IndexVersions]] = {"faiss": _faiss, "qdrant-local": _qdrant_local, "qdrant-engine": _qdrant_engine}
"""Name -> a function that opens the (at first empty) versions kept in a folder; called again, it opens the same ones."""
