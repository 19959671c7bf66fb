"""Qdrant's quantizations on its own engine: how many of the best pictures are kept after rescoring,
and what the small copies weigh.

Without a graph, so that nothing is lost but by the small copies. As a page does, a search proposes
a thousand candidates times the default oversampling, and the originals rank them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Report
from benchmarks.vectors import clustered, queries
from vitrine.settings import Settings

__all__ = ["measure"]

DIMENSION = 512
PAGE, CANDIDATES = 24, 1000
_LEAST_RECALL = 0.99


def measure(report: Report, folder: Path, *, products: int, rounds: int) -> None:
    """Fill the engine once for each quantization and compare its pages with brute force."""
    vectors = clustered(products, DIMENSION, seed=11)
    questions = queries(vectors, rounds, seed=12)
    best = [set(np.argpartition(-(vectors @ query), PAGE)[:PAGE].tolist()) for query in questions]
    for name, quantization in _quantizations().items():
        place = folder / "quantized"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shard = _filled(place, vectors, quantization)
        pages = [_page(shard, query) for query in questions]
        recall = float(np.mean([len(p & b) / PAGE for p, b in zip(pages, best, strict=True)]))
        files = [path for path in place.rglob("*quantized*") if path.is_file()]
        report.add(
            Figure(
                f"recall@{PAGE} after rescoring",
                recall,
                "",
                target=f">= {_LEAST_RECALL}",
                met=recall >= _LEAST_RECALL,
                case=name,
            )
        )
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        report.add(
            Figure(
                "small copies",
                megabytes,
                "MB",
                case=name,
                beside={"originals": vectors.nbytes / 1e6},
            )
        )


def _quantizations() -> dict[str, Any]:
    import qdrant_edge as q

    bits = q.TurboQuantBitSize
    turbo = {
        "8": bits.Bits8,
        "4": bits.Bits4,
        "2": bits.Bits2,
        "1.5": bits.Bits1_5,
        "1": bits.Bits1,
    }
    return {
        "scalar": q.ScalarQuantizationConfig(type=q.ScalarType.Int8, quantile=0.99),
        "binary": q.BinaryQuantizationConfig(),
        **{
            f"turbo, {name} bits": q.TurboQuantQuantizationConfig(bits=size)
            for name, size in turbo.items()
        },
    }


def _filled(folder: Path, vectors: NDArray[np.float32], quantization: Any) -> Any:
    import qdrant_edge as q

    shard = q.EdgeShard.create(
        str(folder),
        q.EdgeConfig(
            vectors={
                "image": q.EdgeVectorParams(
                    size=DIMENSION,
                    distance=q.Distance.Cosine,
                    quantization_config=quantization,
                    hnsw_config=q.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10**8),
                )
            },
            optimizers=q.EdgeOptimizersConfig(indexing_threshold=1),
        ),
    )
    for start in range(0, len(vectors), 2000):
        part = vectors[start : start + 2000]
        points = [
            q.Point(id=start + i, vector={"image": row.tolist()}, payload={})
            for i, row in enumerate(part)
        ]
        shard.update(q.UpdateOperation.upsert_points(points))
    shard.optimize()
    return shard


def _page(shard: Any, query: NDArray[np.float32]) -> set[int]:
    import qdrant_edge as q

    oversampling = Settings.model_fields["qdrant_oversampling"].default
    points = shard.query(
        q.QueryRequest(
            query=q.Query.Nearest(query.tolist(), using="image"),
            limit=CANDIDATES,
            params=q.SearchParams(
                quantization=q.QuantizationSearchParams(rescore=True, oversampling=oversampling)
            ),
        )
    )
    return {int(point.id) for point in points[:PAGE]}
