"""The approximate way: a FAISS HNSW graph over 8-bit rows, both mapped from their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import Scored, Vectors, cut, exact_scores
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.products import Vector

__all__ = ["Graph", "selector"]

_SLACK = 64
"""Rows fetched beyond k and an eighth of it: what rounding displaces and what ties with the k-th."""


def selector(mask: Mask) -> tuple[Any, Any]:
    """FAISS's selector of the rows of a mask, None for all of them; the second keeps the first's memory alive."""
    if mask.all():
        return None, None
    bits = np.packbits(mask, bitorder="little")
    return load_faiss().IDSelectorBitmap(bits), bits


class Graph:
    """A FAISS HNSW graph and the 8-bit rows it walks over, mapped; approximate, so its beam is wider than the answer."""

    def __init__(self, path: Path, rows: Path) -> None:
        """`RuntimeError` when FAISS cannot read the files."""
        faiss = load_faiss()
        self._rows: Any = faiss.read_index(str(rows), faiss.IO_FLAG_MMAP_IFC)
        self._index: Any = faiss.read_index(
            str(path), faiss.IO_FLAG_SKIP_STORAGE | faiss.IO_FLAG_MMAP_IFC
        )
        self._index.storage, self._index.own_fields = self._rows, False

    def best_of(
        self, vectors: Vectors, mask: Mask, query: Vector, *, k: int, beam: int
    ) -> Scored | None:
        """About the k best rows of the mask, more where scores are equal, and their exact scores; None when the beam met fewer than k."""
        chosen, _bits = selector(mask)
        faiss = load_faiss()
        parameters = faiss.SearchParametersHNSW(efSearch=beam, sel=chosen)
        found = self._index.search(query[None], k + k // 8 + _SLACK, params=parameters)[1][0]
        found = found[found >= 0]
        return (
            None if len(found) < k else cut(Scored(found, exact_scores(vectors, found, query)), k)
        )
