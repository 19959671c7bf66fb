"""Vectors at half precision, read straight from a mapped file: half the memory traffic of a scan, and no wrong answer.

What rounding to half precision can do to a score is bounded, so the scan fetches a little more than asked and knows when it has enough.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns import Mask
from vitrine.index.faiss.library import load_faiss
from vitrine.index.faiss.nearest import FLOAT32_ERROR, Scored, cut, exact_scores
from vitrine.index.faiss.segment import Segment, Vectors
from vitrine.products import Vector

__all__ = ["Codes", "Graph", "rounding_error", "selector"]

_SLACK = 64
"""Rows fetched beyond k and an eighth of it: what rounding displaces and what ties with the k-th."""


def rounding_error(vectors: Vectors) -> float:
    """The most that rounding one of the rows to half precision changes its inner product with any unit row (Cauchy-Schwarz)."""
    halves = vectors.astype(np.float16).astype(np.float32)
    return float(np.linalg.norm(vectors - halves, axis=1).max(initial=0.0))


def selector(mask: Mask) -> tuple[Any, Any]:
    """FAISS's selector of the rows of a mask, None for all of them; the second keeps the first's memory alive."""
    if mask.all():
        return None, None
    bits = np.packbits(mask, bitorder="little")
    return load_faiss().IDSelectorBitmap(bits), bits


class Codes:
    """Half-precision rows in a FAISS file; `error` as `rounding_error` found it. `RuntimeError` when FAISS cannot read the file."""

    def __init__(self, path: Path, *, error: float) -> None:
        faiss = load_faiss()
        self.index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        self._error = error + FLOAT32_ERROR

    def best_of(self, segment: Segment, mask: Mask, query: Vector, k: int) -> Scored:
        """As `nearest.best_of`, exactly."""
        faiss = load_faiss()
        matching, fetch = int(np.count_nonzero(mask)), k + k // 8 + _SLACK
        chosen, _bits = selector(mask)
        while True:
            fetch = min(fetch, matching)
            near, rows = self.index.search(query[None], fetch, params=faiss.SearchParameters(sel=chosen))
            best = Scored(rows[0], exact_scores(segment.vectors, rows[0], query))
            if fetch == matching:
                return cut(best, k)
            least = np.partition(best.scores, fetch - k)[fetch - k]
            if near[0, -1] + self._error < least:  # none of those not fetched can reach the k-th best
                return cut(best, k)
            fetch *= 4


class Graph:
    """A FAISS HNSW graph over the rows of `Codes`, mapped; approximate, so its beam is wider than the answer."""

    def __init__(self, path: Path, codes: Codes) -> None:
        faiss = load_faiss()
        self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_SKIP_STORAGE | faiss.IO_FLAG_MMAP_IFC)
        self._index.storage, self._index.own_fields = codes.index, False
        self._codes = codes  # whose memory the graph uses

    def best_of(self, segment: Segment, mask: Mask, query: Vector, *, k: int, beam: int) -> Scored | None:
        """About the k best rows of the mask, more where scores are equal, and their exact scores; None when the beam met fewer than k."""
        chosen, _bits = selector(mask)
        faiss = load_faiss()
        parameters = faiss.SearchParametersHNSW(efSearch=beam, sel=chosen)
        rows = self._index.search(query[None], k + k // 8 + _SLACK, params=parameters)[1][0]
        rows = rows[rows >= 0]
        return None if len(rows) < k else cut(Scored(rows, exact_scores(segment.vectors, rows, query)), k)
