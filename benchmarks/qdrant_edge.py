"""The rival of filtered search on one machine: Qdrant's own engine, in this process."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.recall import LIMIT
from benchmarks.vectors import DIMENSION

__all__ = ["EdgeRival"]


class EdgeRival:
    """A shard with the same products, each with the field `share`, and an HNSW graph."""

    def __init__(
        self, folder: Path, vectors: NDArray[np.float32], shares: NDArray[np.float64]
    ) -> None:
        self._shard = _filled_shard(folder, vectors, shares)

    def best(self, query: NDArray[np.float32], share: float) -> set[int]:
        """The numbers of the best ten products whose `share` is smaller."""
        import qdrant_edge as q

        bound = (
            q.Filter(must=[q.FieldCondition(key="share", range=q.RangeFloat(lt=share))])
            if share < 1
            else None
        )
        results = self._shard.query(
            q.QueryRequest(
                query=q.Query.Nearest(query.tolist(), using="image"),
                filter=bound,
                limit=LIMIT,
                with_payload=True,
            )
        )
        return {uuid.UUID(str(p.id)).int for p in results if p.payload}


def _payload(number: int, share: float) -> dict[str, Any]:
    """Fields as many and as long as those of a product, which both sides give back with it."""
    return {
        "title": f"orange thing {number}",
        "price": 99.95,
        "currency": "EUR",
        "color": ["orange"],
        "colors": ["orange"],
        "share": share,
    }


def _filled_shard(folder: Path, vectors: NDArray[np.float32], shares: NDArray[np.float64]) -> Any:
    import qdrant_edge as q

    folder.mkdir(parents=True)
    shard = q.EdgeShard.create(
        str(folder),
        q.EdgeConfig(
            vectors={"image": q.EdgeVectorParams(size=DIMENSION, distance=q.Distance.Cosine)}
        ),
    )
    shard.update(q.UpdateOperation.create_field_index("share", q.PayloadSchemaType.Float))
    with tqdm(total=len(vectors), desc="filling qdrant-edge", leave=False) as bar:
        for start in range(0, len(vectors), 2000):
            points = [
                q.Point(
                    id=str(uuid.UUID(int=i)),
                    vector={"image": vectors[i].tolist()},
                    payload=_payload(i, float(shares[i])),
                )
                for i in range(start, min(start + 2000, len(vectors)))
            ]
            shard.update(q.UpdateOperation.upsert_points(points))
            bar.update(len(points))
    with tqdm(desc="qdrant-edge builds its HNSW", leave=False):
        shard.optimize()
    return shard
