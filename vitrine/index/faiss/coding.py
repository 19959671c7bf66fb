"""Writing half-precision codes and the graph over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.index.faiss.codes import rounding_error
from vitrine.index.faiss.library import load_faiss
from vitrine.index.faiss.segment import Vectors

__all__ = ["CODES", "GRAPH", "Coding", "write_codes"]

CODES, GRAPH = "codes.faiss", "graph.faiss"
_CHUNK = 4096
_MANY = 20_000
"""Rows from which on several threads help more than waiting for each other costs."""


@dataclass(frozen=True)
class Coding:
    """From how many rows on codes and graph are made, and how the graph is built (Malkov & Yashunin, arXiv:1603.09320)."""

    codes_from: int = 20_000
    graph_from: int = 200_000
    links: int = 32
    build_beam: int = 100
    threads: int = 1


def write_codes(folder: Path, vectors: Vectors, coding: Coding, *, earlier: Path | None, check: Callable[[], None]) -> float:
    """Write codes, and a graph where the rows are many, for all vectors; returns their rounding error.

    `earlier` is a snapshot's folder whose rows are the first of the vectors: its graph is continued. `check` is called
    now and then and may raise to stop.
    """
    faiss = load_faiss()
    index = _continued(earlier) if earlier is not None else _empty(vectors.shape[1], coding, len(vectors))
    if len(vectors) - index.ntotal >= _MANY:
        faiss.omp_set_num_threads(coding.threads)
    for start in range(index.ntotal, len(vectors), _CHUNK):
        check()
        index.add(vectors[start : start + _CHUNK])
    if len(vectors) >= coding.graph_from:
        faiss.write_index(index, str(folder / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
        faiss.write_index(faiss.downcast_index(index.storage), str(folder / CODES))
    else:
        faiss.write_index(index, str(folder / CODES))
    return max(rounding_error(vectors[start : start + _CHUNK]) for start in range(0, len(vectors), _CHUNK))


def _empty(dimension: int, coding: Coding, rows: int) -> Any:
    faiss = load_faiss()
    kind, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if rows < coding.graph_from:
        return faiss.IndexScalarQuantizer(dimension, kind, metric)
    graph = faiss.IndexHNSWSQ(dimension, kind, coding.links, metric)
    graph.hnsw.efConstruction = coding.build_beam
    graph.is_trained = True  # half precision has nothing to learn
    faiss.downcast_index(graph.storage).is_trained = True
    return graph


def _continued(earlier: Path) -> Any:
    faiss = load_faiss()
    graph: Any = faiss.read_index(str(earlier / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
    storage = faiss.read_index(str(earlier / CODES))
    storage.this.disown()  # the graph deletes it
    graph.storage, graph.own_fields = storage, True
    return graph
