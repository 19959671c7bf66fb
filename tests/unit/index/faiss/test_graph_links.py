"""A graph over mapped memory is compared with FAISS's own, which keeps all its room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from vitrine.index.faiss.vectors.graph_links import (
    extensible_graph,
    faiss_rows,
    mapped_graph,
    write_links,
)
from vitrine.index.faiss.vectors.quantized import quantize
from vitrine.storage.array_file import map_arrays, write_arrays

SIZE, DIMENSION = 600, 16
CENTER, SCALE = np.full(DIMENSION, 0.1, np.float32), np.float32(3 / 127)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, Any, np.ndarray]:
    """FAISS's graph, its links as they are written, rows over codes, and the codes."""
    path = tmp_path_factory.mktemp("links") / "links"
    vectors = np.random.default_rng(3).standard_normal((SIZE, DIMENSION), np.float32)
    # few places, so that some nodes take all, and many nodes on the higher levels
    graph = faiss.IndexHNSW(faiss_rows(CENTER, SCALE), 8)
    graph.add(vectors)
    write_links(path, graph)
    codes = quantize(vectors, CENTER, SCALE).codes
    return graph, path, faiss_rows(CENTER, SCALE, codes), codes


def links_and_offsets(graph: Any) -> tuple[np.ndarray, np.ndarray]:
    neighbors = graph.hnsw.neighbors
    links = faiss.rev_swig_ptr(neighbors.data(), neighbors.size()).copy()
    return links, faiss.vector_to_array(graph.hnsw.offsets)


def test_a_search_over_mapped_memory_is_that_of_the_graph_it_is_of(files):
    graph, path, rows, codes = files
    mapped, held = mapped_graph(path, rows)
    queries = np.random.default_rng(4).standard_normal((50, DIMENSION), np.float32)
    for ef in (16, 300):
        parameters = faiss.SearchParametersHNSW(efSearch=ef)
        expected = graph.search(queries, 10, params=parameters)
        nearest = mapped.search(queries, 10, params=parameters)
        np.testing.assert_array_equal(nearest, expected)
    assert graph.hnsw.max_level > 1, "there are higher levels"
    links, _ = links_and_offsets(graph)
    assert len(held) < 0.9 * len(links)
    # nothing is copied
    assert int(mapped.hnsw.neighbors.data()) == held.ctypes.data
    assert int(rows.codes.data()) == codes.ctypes.data


def test_a_graph_that_is_added_to_has_its_room_again(files):
    graph, path, *_ = files
    again = extensible_graph(path, DIMENSION)
    for written, expected in zip(links_and_offsets(again), links_and_offsets(graph), strict=True):
        np.testing.assert_array_equal(written, expected)
    for name in ("entry_point", "max_level"):
        assert getattr(again.hnsw, name) == getattr(graph.hnsw, name)


@pytest.mark.parametrize("harm", ["a link to no node", "a list without an end", "fewer nodes"])
def test_links_that_lead_out_of_the_graph_are_not_taken(files, tmp_path: Path, harm: str):
    _, path, rows, _ = files
    arrays = {name: np.array(array) for name, array in map_arrays(path).items()}
    if harm == "a link to no node":
        arrays["links"][0] = SIZE
    elif harm == "a list without an end":
        low = np.flatnonzero((arrays["levels"] == 1) & (np.diff(arrays["offsets"]) < 8))[0]
        arrays["links"][arrays["offsets"][low + 1] - 1] = 0
    else:
        arrays["levels"] = arrays["levels"][:-1]
    write_arrays(tmp_path / "links", arrays.items())
    with pytest.raises(ValueError, match="damaged"):
        mapped_graph(tmp_path / "links", rows)
