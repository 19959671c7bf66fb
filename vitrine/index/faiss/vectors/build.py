"""Writing the 8-bit codes, and the graph over rows of 8 bits a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.vectors.exact import Vectors
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.quantized import encoded
from vitrine.storage.array_file import write_arrays

__all__ = ["CODES", "CODES_ABOUT", "GRAPH", "ROWS", "Coding", "write_codes", "write_graph"]

CODES, CODES_ABOUT, GRAPH, ROWS = "codes.i8", "codes.bin", "graph.faiss", "rows.faiss"
_CHUNK = 4096
_SAMPLE = 65_536
"""Rows by which the range of each number is learnt."""
_MARGIN = 0.5
"""By which the range is widened on either side, as a share of it: the rows that come later may be of other kinds."""
_MANY = 20_000
"""Rows from which on several threads help more than waiting for each other costs."""


@dataclass(frozen=True)
class Coding:
    """From how many rows on codes and graph are made, and how the graph is built (Malkov & Yashunin, arXiv:1603.09320)."""

    codes_from: int
    graph_from: int
    links: int = 32
    build_beam: int = 100
    threads: int = 1


def write_codes(folder: Path, vectors: Vectors, *, check: Callable[[], None]) -> None:
    """Write the 8-bit codes of all vectors. `check` is called now and then and may raise to stop."""
    chunks = range(0, len(vectors), _CHUNK)
    sums = [vectors[start : start + _CHUNK].sum(axis=0, dtype=np.float64) for start in chunks]
    centre = (np.sum(sums, axis=0) / len(vectors)).astype(np.float32)
    scales, errors, longest = [], [], np.float32(0)
    with (folder / CODES).open("wb") as file:
        for start in chunks:
            check()
            rows = encoded(vectors[start : start + _CHUNK], centre)
            rows.codes.tofile(file)
            scales.append(rows.scales)
            errors.append(rows.errors)
            longest = max(longest, rows.lengths.max())
    about = {
        "centre": centre,
        "scales": np.concatenate(scales),
        "errors": np.concatenate(errors),
        "longest": np.asarray(longest),
    }
    write_arrays(folder / CODES_ABOUT, about)


def write_graph(
    folder: Path,
    vectors: Vectors,
    coding: Coding,
    *,
    earlier: Path | None,
    check: Callable[[], None],
) -> None:
    """Write the graph over all vectors, and the 8-bit rows that it walks over, in FAISS's own form.

    `earlier` is a snapshot's folder whose rows are the first of the vectors: its graph is continued. `check` is called
    now and then and may raise to stop.
    """
    faiss = load_faiss()
    index = _continued(earlier) if earlier is not None else _empty(vectors, coding)
    if len(vectors) - index.ntotal >= _MANY:
        faiss.omp_set_num_threads(coding.threads)
    for start in range(index.ntotal, len(vectors), _CHUNK):
        check()
        index.add(vectors[start : start + _CHUNK])
    faiss.write_index(index, str(folder / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
    faiss.write_index(faiss.downcast_index(index.storage), str(folder / ROWS))


def _empty(vectors: Vectors, coding: Coding) -> Any:
    faiss = load_faiss()
    graph = faiss.IndexHNSWSQ(
        vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, coding.links, faiss.METRIC_INNER_PRODUCT
    )
    graph.hnsw.efConstruction = coding.build_beam
    faiss.downcast_index(graph.storage).sq.rangestat_arg = _MARGIN
    graph.train(np.ascontiguousarray(vectors[:: -(-len(vectors) // _SAMPLE)]))
    return graph


def _continued(earlier: Path) -> Any:
    faiss = load_faiss()
    graph: Any = faiss.read_index(str(earlier / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
    storage = faiss.read_index(str(earlier / ROWS))
    storage.this.disown()  # the graph deletes it
    graph.storage, graph.own_fields = storage, True
    return graph
