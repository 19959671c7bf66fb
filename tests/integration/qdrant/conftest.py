"""A server of Qdrant's own engine on loopback, and versions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import serve
from vitrine.index import IndexVersions
from vitrine.index.qdrant import open_versions
from vitrine.settings import Settings


@pytest.fixture
def engine() -> Iterator[Engine]:
    with closing(Engine()) as made:
        yield made


@pytest.fixture
def versions_on(engine: Engine) -> Iterator[Callable[..., IndexVersions]]:
    """Opens versions on the server under some settings, each time as another process would."""
    with ExitStack() as ended:
        port = ended.enter_context(serve(engine))

        def make(**changes: Any) -> IndexVersions:
            settings: dict[str, Any] = {
                "qdrant_url": "http://127.0.0.1:1",
                "qdrant_grpc_port": port,
                "qdrant_timeout_s": 120,  # a busy machine is slow
            }
            versions = open_versions(Settings(**settings | changes))
            ended.callback(versions.close)
            return versions

        yield make
