"""Qdrant as the contract suite meets it: local mode, the server's engine behind its protocols, and
a server where one is given.

`VITRINE_TEST_QDRANT_URL=http://localhost:6333` runs the suite on that server as well, over gRPC and
over HTTP (`VITRINE_TEST_QDRANT_GRPC_PORT`, `VITRINE_TEST_QDRANT_API_KEY` where they are not 6334
and none). What the suite makes there begins with `vitrine-test-` and is removed again.
"""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

from vitrine.index import IndexVersions
from vitrine.settings import Settings

__all__ = ["QDRANT", "remove_collections", "server_settings"]


class _Kept:
    """What was started for the folder in use; that of the folder before is closed."""

    def __init__(self, start: Callable[[ExitStack], Any]) -> None:
        self._start = start
        self._folder: Path | None = None
        self._stack = ExitStack()
        self._started: Any = None
        atexit.register(self._close)

    def _close(self) -> None:
        self._stack.close()

    def of(self, folder: Path) -> Any:
        if folder != self._folder:
            self._close()
            self._stack = ExitStack()
            self._started, self._folder = self._start(self._stack), folder
        return self._started


@cache
def _paths_parsed_once() -> None:
    """Local mode parses the path of each condition for each point: half of what its tests took."""
    from qdrant_client.local import json_path_parser, payload_value_extractor

    payload_value_extractor.parse_json_path = cache(json_path_parser.parse_json_path)  # type: ignore[assignment]


def _memory(stack: ExitStack) -> Any:
    from qdrant_client import QdrantClient

    _paths_parsed_once()
    return stack.enter_context(closing(QdrantClient(":memory:")))


_local = _Kept(_memory)


def _open_local(folder: Path) -> IndexVersions:
    """The client's local mode: the same calls, answered in this process.

    In memory, for its files are written point by point.
    """
    from vitrine.index.qdrant.connection import Connection
    from vitrine.index.qdrant.versions import QdrantVersions

    settings = Settings(data_dir=folder, qdrant_url=":memory:")
    return QdrantVersions(Connection(settings, client=_local.of(folder)), settings)


def _serve_engine(stack: ExitStack) -> Any:
    from tests.integration.qdrant.engine import Engine
    from tests.integration.qdrant.grpc_server import serve

    return stack.enter_context(serve(stack.enter_context(closing(Engine()))))


_engine = _Kept(_serve_engine)


def _open_engine(folder: Path) -> IndexVersions:
    """Qdrant's own engine behind its gRPC protocol, on loopback."""
    from vitrine.index.qdrant import open_versions

    return open_versions(
        Settings(
            data_dir=folder,
            qdrant_url="http://127.0.0.1:1",
            qdrant_grpc_port=_engine.of(folder),
            qdrant_timeout_s=120,  # a busy machine is slow
        )
    )


def server_settings() -> dict[str, Any]:
    """Settings of the server to test on, under a prefix that nobody else has."""
    return {
        "qdrant_url": os.environ["VITRINE_TEST_QDRANT_URL"],
        "qdrant_grpc_port": int(os.environ.get("VITRINE_TEST_QDRANT_GRPC_PORT", "6334")),
        "qdrant_api_key": os.environ.get("VITRINE_TEST_QDRANT_API_KEY", ""),
        "qdrant_prefix": f"vitrine-test-{secrets.token_hex(6)}",
    }


def _server(*, grpc: bool) -> Callable[[Path], IndexVersions]:
    def settings(stack: ExitStack) -> Settings:
        made = Settings(**server_settings(), qdrant_grpc=grpc)
        stack.callback(remove_collections, made)
        return made

    kept = _Kept(settings)

    def open_server(folder: Path) -> IndexVersions:
        from vitrine.index.qdrant import open_versions

        return open_versions(kept.of(folder))

    return open_server


def remove_collections(settings: Settings) -> None:
    """Delete everything under the prefix of these settings."""
    from vitrine.index.qdrant.connection import Connection

    with closing(Connection(settings)) as connection:
        for collection in connection.read("get_collections").collections:
            if collection.name.startswith(settings.qdrant_prefix):
                connection.write("delete_collection", collection_name=collection.name)


QDRANT: dict[str, Callable[[Path], IndexVersions]] = {
    "qdrant-local": _open_local,
    "qdrant-engine": _open_engine,
}
if "VITRINE_TEST_QDRANT_URL" in os.environ:
    QDRANT |= {"qdrant-server": _server(grpc=True), "qdrant-server-http": _server(grpc=False)}
