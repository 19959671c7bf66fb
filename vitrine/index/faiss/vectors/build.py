"""Writing the rows of 8 bits and of one bit a number that are scanned, and the graph over the
former."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.graph_links import extensible_graph, faiss_rows, write_links
from vitrine.index.faiss.vectors.one_bit import one_bit_rows, random_rotation
from vitrine.index.faiss.vectors.product_vectors import Vectors
from vitrine.index.faiss.vectors.quantized import decoded, fitting_scale, quantize
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.storage.array_file import forget_pages, map_array, map_arrays, write_arrays

__all__ = [
    "CODES",
    "GRAPH",
    "ONE_BIT",
    "TEXT_CODES",
    "BuildOptions",
    "write_graph",
    "write_one_bit",
    "write_quantized",
]

GRAPH = "graph.bin"
CODES = ("codes.u8", "codes.bin")
"""The files of the pictures' 8-bit rows: the codes, and what else is known of each row."""
ONE_BIT = ("signs.u1", "signs.bin")
"""The same of their one-bit rows."""
TEXT_CODES = ("texts.u8", "texts.bin")
"""The same of the text vectors' 8-bit rows."""
_CHUNK = 4096
_SAMPLE = 65_536
"""Rows by which the scale is learned."""
_MANY = 20_000
"""Rows from which on several threads help more than waiting for each other costs."""


@dataclass(frozen=True)
class BuildOptions:
    """From how many rows on 8-bit rows, one-bit rows and a graph are made, and how the graph is.

    Where a device searches, no graph is made.
    """

    quantize_from: int
    one_bit_from: int
    graph_from: int
    m: int = 32
    ef_construct: int = 100
    threads: int = 1
    device: SearchDevice | None = None

    def makes_quantized(self, rows: int) -> bool:
        """Whether so many rows get 8-bit rows; one-bit rows and a graph need them."""
        return rows >= min(self.quantize_from, self.one_bit_from, self.graph_from)

    def makes_one_bit(self, rows: int) -> bool:
        """Whether so many rows get one-bit rows."""
        return rows >= self.one_bit_from

    def makes_graph(self, rows: int) -> bool:
        """Whether so many rows get a graph."""
        return rows >= self.graph_from and (self.device is None or bool(self.device.obstacle))


def write_quantized(folder: Path, files: tuple[str, str], vectors: Vectors) -> None:
    """Write the 8-bit rows of all vectors."""
    totals = [some.sum(axis=0, dtype=np.float64) for some in _blocks(vectors)]
    center = (np.sum(totals, axis=0) / len(vectors)).astype(np.float32)
    scale = fitting_scale(vectors[:: -(-len(vectors) // _SAMPLE)], center)
    forget_pages(vectors)
    sums, errors, longest = [], [], np.float32(0)
    with (folder / files[0]).open("wb") as file:
        for some in _blocks(vectors):
            rows = quantize(some, center, scale)
            file.write(rows.codes.data)
            sums.append(rows.sums)
            errors.append(rows.errors)
            longest = max(longest, rows.lengths.max())
    arrays = {
        "center": center,
        "scale": np.asarray(scale),
        "sums": np.concatenate(sums),
        "errors": np.concatenate(errors),
        "longest": np.asarray(longest),
    }
    write_arrays(folder / files[1], arrays.items())


def write_one_bit(folder: Path, vectors: Vectors) -> None:
    """Write the one-bit rows of all vectors, around the center that `write_quantized` has put
    there."""
    center = map_arrays(folder / CODES[1])["center"]
    rotation = random_rotation(vectors.shape[1])
    scales, shifts = [], []
    with (folder / ONE_BIT[0]).open("wb") as file:
        for some in _blocks(vectors):
            rows = one_bit_rows(some, center, rotation)
            file.write(rows.codes.data)
            scales.append(rows.scales)
            shifts.append(rows.shifts)
    arrays = {
        "center": center,
        "rotation": rotation,
        "scales": np.concatenate(scales),
        "shifts": np.concatenate(shifts),
    }
    write_arrays(folder / ONE_BIT[1], arrays.items())


def write_graph(folder: Path, options: BuildOptions, *, earlier: Path | None) -> None:
    """Write the graph over the pictures' 8-bit rows, which `write_quantized` has put there.

    `earlier` is a snapshot's folder whose rows are the first of these: its graph is continued.
    """
    faiss = load_faiss()
    about = map_arrays(folder / CODES[1])
    center, scale = about["center"], np.float32(about["scale"])
    codes = map_array(folder / CODES[0], np.uint8, (len(about["sums"]), len(center)))
    if earlier is None:
        graph = faiss.IndexHNSW(len(center), options.m, faiss.METRIC_INNER_PRODUCT)
    else:
        graph = extensible_graph(earlier / GRAPH, len(center))
    graph.hnsw.efConstruction = options.ef_construct
    rows = faiss_rows(center, scale)
    for some in _blocks(codes[: graph.ntotal]):
        rows.add(decoded(some, center, scale))
    graph.storage, graph.own_fields, graph.is_trained = rows, False, True
    if len(codes) - graph.ntotal >= _MANY:
        faiss.omp_set_num_threads(options.threads)
    for some in _blocks(codes[graph.ntotal :]):
        graph.add(decoded(some, center, scale))
    write_links(folder / GRAPH, graph)


def _blocks(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Rows, some at a time; what was mapped for them leaves the memory again."""
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        yield some
        forget_pages(some)
