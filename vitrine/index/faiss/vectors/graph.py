"""The approximate way: a FAISS HNSW graph over 8-bit rows, both mapped from their files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import ScoredRows, score_products, trim_ties
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
        selector, _bits = _selector(pictures.row_mask(mask))
        parameters = load_faiss().SearchParametersHNSW(efSearch=ef, sel=selector)
        count = math.ceil((k + k // 8 + _SLACK) * pictures.per_product)
        rows = self._index.search(query[None], count, params=parameters)[1][0]
        rows = rows[rows >= 0]
        products = rows if pictures.single else np.unique(pictures.owners[rows]).astype(np.int64)
        if len(products) < k:
            return None
        return trim_ties(score_products(pictures, products, query), k)


def _selector(mask: Mask) -> tuple[Any, Any]:
    """FAISS's selector of the rows of a mask, None for all, and the memory that it points to."""
    if mask.all():
        return None, None
    bits = np.packbits(mask, bitorder="little")
    return load_faiss().IDSelectorBitmap(bits), bits
