"""The approximate way: a FAISS HNSW graph over 8-bit rows, both mapped from their files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import ScoredRows, exact_top_k
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.products import Vector

__all__ = ["Graph"]

_SLACK = 64
"""Rows fetched beyond k and an eighth of it: what rounding displaces and what ties with it."""


class Graph:
    """Malkov & Yashunin's graph (arXiv:1603.09320); its beam is wider than the answer."""

    def __init__(self, graph: Path, rows: Path) -> None:
        """`RuntimeError` when FAISS cannot read the files."""
        faiss = load_faiss()
        self._rows: Any = faiss.read_index(str(rows), faiss.IO_FLAG_MMAP_IFC)
        self._index: Any = faiss.read_index(
            str(graph), faiss.IO_FLAG_SKIP_STORAGE | faiss.IO_FLAG_MMAP_IFC
        )
        self._index.storage, self._index.own_fields = self._rows, False

    def top_k(
        self, pictures: ProductVectors, mask: Mask, query: Vector, *, k: int, ef: int
    ) -> ScoredRows | None:
        """About the k best products of the mask, more where scores tie, with their exact scores.

        `ef` is the width of the beam. None when it met fewer than k products of the mask.
        """
        selector, _bits = (None, None) if mask.all() else _selector(pictures.row_mask(mask))
        parameters = load_faiss().SearchParametersHNSW(efSearch=ef, sel=selector)
        count = k + k // 8 + _SLACK
        rows = self._index.search(
            query[None], math.ceil(count * pictures.per_product), params=parameters
        )[1][0]
        products = _first_products(pictures, rows[rows >= 0], count)
        return exact_top_k(pictures, products, query, k) if len(products) >= k else None


def _first_products(pictures: ProductVectors, rows: Ints, count: int) -> Ints:
    """The products that these rows are of, the first `count` of them."""
    if pictures.single:
        return rows[:count]
    products, first = np.unique(pictures.owners[rows], return_index=True)
    return products[np.argsort(first)[:count]].astype(np.int64)


def _selector(mask: Mask) -> tuple[Any, Any]:
    """FAISS's selector of the rows of a mask, and the memory that it points to."""
    bits = np.packbits(mask, bitorder="little")
    return load_faiss().IDSelectorBitmap(bits), bits
