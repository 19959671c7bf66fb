"""FAISS's HNSW graph over memory that is mapped: its rows, and its links in a file, without the
room that it keeps for more of them.

FAISS gives a node 2 m places for links of the lowest level. About three in eight are taken, the
others are -1, and a search stops at the first of those. So the taken places and one -1 do for the
nodes that are in the lowest level alone, all but one in m. A search over them is the same; to add
to a graph, its nodes need their room again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.products import Vector
from vitrine.storage.array_file import map_arrays, write_arrays

__all__ = ["extensible_graph", "faiss_rows", "mapped_graph", "write_links"]


def faiss_rows(center: Vector, scale: np.float32, codes: NDArray[np.uint8] | None = None) -> Any:
    """FAISS's rows of 8 bits, whose codes are those of `quantize`: the codes given, which must
    outlive it, or none yet.

    It learns the ends of each number's range, between which it has 256 steps.
    """
    faiss = load_faiss()
    rows = faiss.IndexScalarQuantizer(
        len(center), faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    half = np.float32(127.5) * scale
    rows.train(np.stack([center - half, center + half]))
    if codes is not None:
        rows.codes = _view(faiss.MaybeOwnedVectorUInt8, rows.codes, codes)
        rows.ntotal = len(codes)
    return rows


def _view(kind: Any, empty: Any, array: NDArray[Any]) -> Any:
    """FAISS's vector of that kind over the memory of an array: it is not copied.

    FAISS wants to be told who frees the memory: nobody, as of one that is empty.
    """
    return kind.create_view(load_faiss().swig_ptr(array), array.size, empty.owner)


def write_links(path: Path, graph: Any) -> None:
    """Write the links of a graph, one node or more."""
    faiss, hnsw = load_faiss(), graph.hnsw
    links = faiss.rev_swig_ptr(hnsw.neighbors.data(), hnsw.neighbors.size())
    levels = faiss.vector_to_array(hnsw.levels)
    starts, room = faiss.vector_to_array(hnsw.offsets)[:-1].astype(np.int64), _room(graph, levels)
    needed = links >= 0
    counts = np.add.reduceat(needed, starts, dtype=np.int64)
    needed[(starts + counts)[counts < room]] = True  # the -1 at which a search stops
    needed |= np.repeat(levels > 1, room)
    arrays = {
        "links": links[needed],
        "offsets": _offsets(np.add.reduceat(needed, starts, dtype=np.int64)),
        "levels": levels,
        "m": np.asarray(hnsw.nb_neighbors(1)),
        "entry": np.asarray(hnsw.entry_point),
    }
    write_arrays(path, arrays.items())


def mapped_graph(path: Path, rows: Any) -> tuple[Any, NDArray[np.int32]]:
    """The graph over FAISS's rows, to be searched: its links are mapped.

    The links, which are given beside it, and `rows` must outlive it.
    `OSError`, `KeyError` or `ValueError` when the file cannot be read.
    """
    faiss, arrays = load_faiss(), map_arrays(path)
    graph, links, offsets = _graph(arrays, rows.d), arrays["links"], arrays["offsets"]
    if len(arrays["levels"]) != rows.ntotal or not _ends_everywhere(graph, arrays):
        raise ValueError(f"{path.name} is damaged")
    graph.hnsw.neighbors = _view(faiss.MaybeOwnedVectorInt32, graph.hnsw.neighbors, links)
    faiss.copy_array_to_vector(offsets.astype(np.uint64), graph.hnsw.offsets)
    graph.storage, graph.own_fields = rows, False
    return graph, links


def _ends_everywhere(graph: Any, arrays: dict[str, NDArray[Any]]) -> bool:
    """Whether FAISS, which checks nothing, comes to an end in the links of every node, and all of
    them are nodes."""
    links, offsets, levels = arrays["links"], arrays["offsets"], arrays["levels"]
    lengths, room = np.diff(offsets), _room(graph, levels)
    if len(lengths) != len(room) or lengths.min() < 1:
        return False
    if offsets[0] != 0 or offsets[-1] != len(links):
        return False
    ends = (lengths == room) | ((levels == 1) & (links[offsets[1:] - 1] < 0))
    return bool(ends.all() and links.min() >= -1 and links.max() < len(levels))


def extensible_graph(path: Path, dimension: int) -> Any:
    """The graph without its rows, with the room that FAISS needs to add to it."""
    faiss, arrays = load_faiss(), map_arrays(path)
    graph = _graph(arrays, dimension)
    offsets = _offsets(_room(graph, arrays["levels"]))
    # where the places that a node has taken begin and end
    changes = np.zeros(int(offsets[-1]) + 1, np.int8)
    changes[offsets[:-1]] += 1
    changes[offsets[:-1] + np.diff(arrays["offsets"])] -= 1
    taken = np.cumsum(changes[:-1], dtype=np.int8).view(np.bool_)
    neighbors = graph.hnsw.neighbors
    neighbors.resize(len(taken))
    links = faiss.rev_swig_ptr(neighbors.data(), len(taken))
    links[:] = -1
    links[taken] = arrays["links"]
    faiss.copy_array_to_vector(offsets.astype(np.uint64), graph.hnsw.offsets)
    return graph


def _graph(arrays: dict[str, NDArray[Any]], dimension: int) -> Any:
    """A graph of these levels that has no links yet."""
    faiss, levels = load_faiss(), arrays["levels"]
    graph = faiss.IndexHNSW(dimension, int(arrays["m"]), faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(levels, graph.hnsw.levels)
    graph.hnsw.entry_point, graph.hnsw.max_level = int(arrays["entry"]), int(levels.max()) - 1
    graph.ntotal, graph.is_trained = len(levels), True
    return graph


def _room(graph: Any, levels: NDArray[np.int32]) -> Ints:
    """How many places FAISS gives each node."""
    widths = load_faiss().vector_to_array(graph.hnsw.cum_nneighbor_per_level)
    return np.asarray(widths[levels], np.int64)


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths)))
