"""The index backends that a reindex is tested on, by what their settings say.

A server that `VITRINE_TEST_QDRANT_URL` names is one of them; what is made there begins with
`vitrine-test-` and is removed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from tests.integration.qdrant.backends import remove_collections, server_settings
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import serve
from tests.shop import Shop, open_shop

__all__ = ["BACKENDS", "opened_beside", "shop_on"]

BACKENDS = [
    "faiss",
    "qdrant-local",
    "qdrant-engine",
    *(["qdrant-server"] if "VITRINE_TEST_QDRANT_URL" in os.environ else []),
]
"""Each runs in one process with threads; what several processes may open is tested on faiss."""


@contextmanager
def shop_on(backend: str, folder: Path, **settings: Any) -> Iterator[Shop]:
    """An empty shop on a backend; closed, and removed from a server, when the block ends."""
    with ExitStack() as ended:
        match backend:
            case "faiss":
                chosen: dict[str, Any] = {"backend": "faiss"}
            case "qdrant-local":
                chosen = {"backend": "qdrant", "qdrant_url": ":memory:"}
            case "qdrant-engine":
                port = ended.enter_context(serve(ended.enter_context(closing(Engine()))))
                chosen = {
                    "backend": "qdrant",
                    "qdrant_url": "http://127.0.0.1:1",
                    "qdrant_grpc_port": port,
                }
            case _:
                chosen = {"backend": "qdrant", **server_settings()}
        shop = open_shop(folder, **chosen, **settings)
        if backend == "qdrant-server":
            ended.callback(remove_collections, shop.vitrine.settings)
        ended.callback(shop.vitrine.close)
        yield shop


@contextmanager
def opened_beside(shop: Shop) -> Iterator[Shop]:
    """The shop as another process opens it, with models of its own.

    Local mode in memory is one process's, so its versions are shared.
    """
    settings = shop.vitrine.settings
    given = settings.model_dump(exclude_unset=True, exclude={"data_dir"})
    shared = settings.qdrant_url == ":memory:"
    other = open_shop(settings.data_dir, shop.vitrine.versions if shared else None, **given)
    yield other
    if not shared:
        other.vitrine.close()
