"""Writing the 8-bit rows that are scanned, and the graph over rows of 8 bits a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.product_vectors import Vectors
from vitrine.index.faiss.vectors.quantized import quantize
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.storage.array_file import write_arrays

__all__ = [
    "CODES",
    "GRAPH",
    "GRAPH_ROWS",
    "TEXT_CODES",
    "BuildOptions",
    "write_graph",
    "write_quantized",
]

GRAPH, GRAPH_ROWS = "graph.faiss", "rows.faiss"
CODES = ("codes.i8", "codes.bin")
"""The files of the pictures' 8-bit rows: the codes, and what else is known of each row."""
TEXT_CODES = ("texts.i8", "texts.bin")
"""The same of the text vectors."""
_CHUNK = 4096
_SAMPLE = 65_536
"""Rows by which the range of each number is learned."""
_MARGIN = 0.5
"""By which the range is widened on either side, as a share of it: later rows may differ."""
_MANY = 20_000
"""Rows from which on several threads help more than waiting for each other costs."""


@dataclass(frozen=True)
class BuildOptions:
    """From how many rows on 8-bit rows and graph are made, and how the graph is built.

    Where a device searches, no graph is made.
    """

    quantize_from: int
    graph_from: int
    m: int = 32
    ef_construct: int = 100
    threads: int = 1
    device: SearchDevice | None = None

    def makes_graph(self, rows: int) -> bool:
        """Whether so many rows get a graph."""
        return rows >= self.graph_from and (self.device is None or bool(self.device.obstacle))


def write_quantized(
    folder: Path, files: tuple[str, str], vectors: Vectors, *, check: Callable[[], None]
) -> None:
    """Write the 8-bit rows of all vectors. `check` is called now and then and may raise to stop."""
    starts = range(0, len(vectors), _CHUNK)
    sums = [vectors[start : start + _CHUNK].sum(axis=0, dtype=np.float64) for start in starts]
    center = (np.sum(sums, axis=0) / len(vectors)).astype(np.float32)
    scales, errors, longest = [], [], np.float32(0)
    with (folder / files[0]).open("wb") as file:
        for start in starts:
            check()
            rows = quantize(vectors[start : start + _CHUNK], center)
            rows.codes.tofile(file)
            scales.append(rows.scales)
            errors.append(rows.errors)
            longest = max(longest, rows.lengths.max())
    arrays = {
        "center": center,
        "scales": np.concatenate(scales),
        "errors": np.concatenate(errors),
        "longest": np.asarray(longest),
    }
    write_arrays(folder / files[1], arrays.items())


def write_graph(
    folder: Path,
    vectors: Vectors,
    options: BuildOptions,
    *,
    earlier: Path | None,
    check: Callable[[], None],
) -> None:
    """Write the graph over all vectors, and the 8-bit rows that it walks over, in FAISS's own form.

    `earlier` is a snapshot's folder whose rows are the first of the vectors: its graph is
    continued. `check` is called now and then and may raise to stop.
    """
    faiss = load_faiss()
    graph = _empty_graph(vectors, options) if earlier is None else _read_graph(earlier)
    if len(vectors) - graph.ntotal >= _MANY:
        faiss.omp_set_num_threads(options.threads)
    for start in range(graph.ntotal, len(vectors), _CHUNK):
        check()
        graph.add(vectors[start : start + _CHUNK])
    faiss.write_index(graph, str(folder / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
    faiss.write_index(faiss.downcast_index(graph.storage), str(folder / GRAPH_ROWS))


def _empty_graph(vectors: Vectors, options: BuildOptions) -> Any:
    faiss = load_faiss()
    graph = faiss.IndexHNSWSQ(
        vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, options.m, faiss.METRIC_INNER_PRODUCT
    )
    graph.hnsw.efConstruction = options.ef_construct
    faiss.downcast_index(graph.storage).sq.rangestat_arg = _MARGIN
    graph.train(np.ascontiguousarray(vectors[:: -(-len(vectors) // _SAMPLE)]))
    return graph


def _read_graph(folder: Path) -> Any:
    faiss = load_faiss()
    graph: Any = faiss.read_index(str(folder / GRAPH), faiss.IO_FLAG_SKIP_STORAGE)
    rows = faiss.read_index(str(folder / GRAPH_ROWS))
    rows.this.disown()  # the graph deletes it
    graph.storage, graph.own_fields = rows, True
    return graph
