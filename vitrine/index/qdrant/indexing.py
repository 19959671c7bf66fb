"""A version is filled without a graph, which is then built once from all its vectors.

While it is filled, `INDEXING_OFF` keeps Qdrant's optimizer from building graphs that it would merge
and build again as segments grow. `build_index` switches it on and waits until it is done, so that
no version is published whose searches compare everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from qdrant_client import models

from vitrine.errors import IndexUnavailable
from vitrine.index.ports import MAX_IMAGES
from vitrine.index.qdrant.connection import Connection

__all__ = ["INDEXING_OFF", "build_index", "indexed_share"]

# a server may be configured to hide what is not indexed yet: a write would then wait for a graph
INDEXING_OFF = models.OptimizersConfigDiff(indexing_threshold=0, prevent_unoptimized=False)
_THRESHOLD_KB = 20_000
"""Vectors in a segment from which it gets a graph: Qdrant's own default."""
_INDEXING_ON = models.OptimizersConfigDiff(indexing_threshold=_THRESHOLD_KB)
_POLL_S = 0.5
_QUIET_POLLS = 4
"""Polls in a row that must find nothing under way: the optimizer needs a moment to begin."""
_STALLED_S = 900.0
"""Seconds without any progress after which indexing is given up; one merge may take minutes."""


def build_index(
    connection: Connection,
    collection: str,
    *,
    dimension: int,
    progress: Callable[[float], None],
) -> None:
    """End the filling of a collection and wait until its optimizer has nothing more to do.

    `progress` is told which share is indexed, and may raise. `IndexUnavailable` when
    the optimizer failed or does not go on.
    """
    described = _described(connection, collection)
    if described.config.optimizer_config.indexing_threshold != 0:
        return  # not being filled any more
    connection.write(
        "update_collection", collection_name=collection, optimizers_config=_INDEXING_ON
    )
    bytes_each = _most_rows(described) * dimension * 4
    if (described.points_count or 0) * bytes_each <= _THRESHOLD_KB * 1024:
        return  # no segment can be large enough for a graph
    _await_green(connection, collection, progress)


def _await_green(
    connection: Connection, collection: str, progress: Callable[[float], None]
) -> None:
    quiet, last = 0, (-1, -1)
    changed = time.monotonic()
    while True:
        described = _described(connection, collection)
        if described.status == models.CollectionStatus.RED:
            raise IndexUnavailable(
                f"Qdrant cannot index collection {collection}: "
                f"{getattr(described.optimizer_status, 'error', described.optimizer_status)}; "
                "see its log"
            )
        indexed, points = described.indexed_vectors_count or 0, described.points_count or 0
        progress(indexed_share(described))
        # nodes of a cluster learn in turn that indexing is on: before, they have nothing to do
        on = described.config.optimizer_config.indexing_threshold != 0
        quiet = quiet + 1 if on and described.status == models.CollectionStatus.GREEN else 0
        if quiet >= _QUIET_POLLS:
            return
        if last != (indexed, described.segments_count):
            last, changed = (indexed, described.segments_count), time.monotonic()
        if time.monotonic() - changed > _STALLED_S:
            raise IndexUnavailable(
                f"Qdrant does not go on indexing collection {collection} "
                f"({indexed} of {points} vectors); see its log and the free space on its disk"
            )
        time.sleep(_POLL_S)


def indexed_share(described: models.CollectionInfo) -> float:
    """Which share of a collection is in its indexes, from 0 to 1.

    Qdrant counts a point once for each name under which it has vectors, the sparse ones too, and
    rows of a multivector not one by one.
    """
    params = described.config.params
    dense = len(params.vectors) if isinstance(params.vectors, dict) else 1
    names = dense + len(params.sparse_vectors or {})
    expected = (described.points_count or 0) * names
    return min(1.0, (described.indexed_vectors_count or 0) / expected) if expected else 1.0


def _most_rows(described: models.CollectionInfo) -> int:
    """Rows that a point may have under one name."""
    vectors = described.config.params.vectors
    params = vectors.values() if isinstance(vectors, dict) else [vectors]
    return MAX_IMAGES if any(p is not None and p.multivector_config for p in params) else 1


def _described(connection: Connection, collection: str) -> models.CollectionInfo:
    described: models.CollectionInfo = connection.read("get_collection", collection_name=collection)
    return described
