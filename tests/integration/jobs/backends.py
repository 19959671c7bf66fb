"""The index backends that a reindex is tested on, by what their settings say.

A server that `VITRINE_TEST_QDRANT_URL` names is one of them; what is made there begins with `vitrine-test-` and is removed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.qdrant.backends import remove_collections, server_settings
from tests.shop import Shop, open_shop

__all__ = ["BACKENDS", "opened_beside", "shop_on"]

BACKENDS = [
    "faiss",
    "qdrant-local",
    *(["qdrant-server"] if "VITRINE_TEST_QDRANT_URL" in os.environ else []),
]
"""Each runs in one process with threads; what several processes may open is tested on faiss."""


@contextmanager
def shop_on(backend: str, folder: Path, **settings: Any) -> Iterator[Shop]:
    """An empty shop on a backend; closed, and removed from a server, when the block ends."""
    match backend:
        case "faiss":
            chosen: dict[str, Any] = {"backend": "faiss"}
        case "qdrant-local":
            chosen = {"backend": "qdrant", "qdrant_url": ":memory:"}
        case _:
            chosen = {"backend": "qdrant", **server_settings()}
    shop = open_shop(folder, **chosen, **settings)
    try:
        yield shop
    finally:
        shop.vitrine.close()
        if backend == "qdrant-server":
            remove_collections(shop.vitrine.settings)


@contextmanager
def opened_beside(shop: Shop) -> Iterator[Shop]:
    """The shop as another process opens it, with models of its own; local mode in memory is one process's, so its versions are shared."""
    settings = shop.vitrine.settings
    given = settings.model_dump(exclude_unset=True, exclude={"data_dir"})
    shared = settings.qdrant_url == ":memory:"
    other = open_shop(settings.data_dir, shop.vitrine.versions if shared else None, **given)
    yield other
    if not shared:
        other.vitrine.close()
