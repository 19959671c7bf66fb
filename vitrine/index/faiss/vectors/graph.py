"""The approximate way: a FAISS HNSW graph over 8-bit rows; it walks over those that are scanned,
both mapped from their files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import (
    FLOAT32_ERROR,
    ScoredRows,
    exact_top_k,
    kth_largest,
)
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.graph_links import faiss_rows, mapped_graph
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.products import Vector

__all__ = ["Graph"]

_SLACK = 64
"""Products fetched beyond k and an eighth of it: what rounding displaces and what ties with it."""


class Graph:
    """Malkov & Yashunin's graph (arXiv:1603.09320); its beam is wider than the answer."""

    def __init__(self, graph: Path, quantized: QuantizedVectors) -> None:
        """Of the rows that `quantized` has. `OSError`, `KeyError` or `ValueError` when the file
        cannot be read."""
        self._quantized = quantized
        self._rows = faiss_rows(quantized.center, quantized.scale, quantized.codes)
        self._index, self._links = mapped_graph(graph, self._rows)

    def top_k(
        self, pictures: ProductVectors, mask: Mask, query: Vector, *, k: int, ef: int, needed: int
    ) -> ScoredRows | None:
        """About the `needed` best products of the mask, more where scores tie, with exact scores.

        `ef` is the width of the beam. None when it met fewer than k products of the mask, of which
        `needed` are wanted.
        """
        selector, _bits = (None, None) if mask.all() else _selector(pictures.row_mask(mask))
        parameters = load_faiss().SearchParametersHNSW(efSearch=ef, sel=selector)
        count = math.ceil((k + k // 8 + _SLACK) * pictures.per_product)
        nearest = self._index.search(query[None], count, params=parameters)
        cosines, rows = (array[0][nearest[1][0] >= 0] for array in nearest)
        products, first = _products_of(pictures, rows)
        if len(products) < k:
            return None
        if len(products) > needed:  # those that 8 bits cannot tell from the best are scored
            errors = self._quantized.product_errors[products] + np.float32(FLOAT32_ERROR)
            about = cosines[first]
            products = products[about + errors >= kth_largest(about - errors, needed)]
        return exact_top_k(pictures, products, query, needed)


def _products_of(pictures: ProductVectors, rows: Ints) -> tuple[Ints, Ints]:
    """The products that these rows are of, and where the first row of each is."""
    if pictures.single:
        return rows, np.arange(len(rows))
    products, first = np.unique(pictures.owners[rows], return_index=True)
    return products.astype(np.int64), first


def _selector(mask: Mask) -> tuple[Any, Any]:
    """FAISS's selector of the rows of a mask, and the memory that it points to."""
    bits = np.packbits(mask, bitorder="little")
    return load_faiss().IDSelectorBitmap(bits), bits
