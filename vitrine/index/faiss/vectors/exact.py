"""The best rows of one segment by cosine similarity: found approximately fast, then settled exactly.

Whatever finds the rows, scores are computed again in float64 from the float32 vectors and rounded, so every plan gives the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.ports import SCORE_DECIMALS
from vitrine.products import Vector

__all__ = [
    "FLOAT32_ERROR",
    "Scored",
    "Vectors",
    "best_of",
    "cut",
    "exact_scores",
    "inner_products",
    "kth",
]

Vectors: TypeAlias = NDArray[np.float32]

FLOAT32_ERROR = 2e-4
"""Bound on the error of a float32 inner product of two unit rows, rounding to `SCORE_DECIMALS` included.

n x 2^-24 for n summands (Higham, Accuracy and Stability, 3.1): 2.5e-4 at 4096 dimensions in the worst order of summation,
far less in the blocked order used here.
"""
_CHUNK = 4096
_FEW = 256
"""So few rows are scored exactly sooner than it is found out which of them need not be."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows of a segment and their exact, rounded scores, (n,) each, in no order."""

    rows: Ints
    scores: NDArray[np.float64]


def exact_scores(vectors: Vectors, rows: Ints, query: Vector) -> NDArray[np.float64]:
    """Cosine similarities of the rows (n,), summed in float64 and rounded to `SCORE_DECIMALS`."""
    # not BLAS: its result may depend on how many rows are multiplied together
    parts = [
        np.asarray(numkong.cdist(query[None], vectors[rows[i : i + _CHUNK]], "dot"))[0]
        for i in range(0, len(rows), _CHUNK)
    ]
    # adding zero turns -0.0 into 0.0
    return np.round(np.concatenate(parts), SCORE_DECIMALS) + 0.0 if parts else np.zeros(0)


def best_of(vectors: Vectors, rows: Ints, query: Vector, k: int) -> Scored:
    """Of the rows all that score at least as well as the k-th best of them: k or more where scores are equal."""
    if len(rows) <= max(k, _FEW):
        return cut(Scored(rows, exact_scores(vectors, rows, query)), k)
    near = inner_products(vectors, rows, query)
    rows = rows[near >= kth(near, k) - 2 * FLOAT32_ERROR]
    return cut(Scored(rows, exact_scores(vectors, rows, query)), k)


def cut(found: Scored, k: int) -> Scored:
    """Those that score at least as well as the k-th best."""
    if len(found.rows) <= k:
        return found
    kept = found.scores >= kth(found.scores, k)
    return Scored(found.rows[kept], found.scores[kept])


def inner_products(vectors: Vectors, rows: Ints, query: Vector) -> NDArray[np.float32]:
    """Inner products (n,) of the query with some rows, in float32, without copying the rows."""
    faiss = load_faiss()
    wanted, sought, matrix = (
        np.ascontiguousarray(rows, np.int64),
        np.ascontiguousarray(query, np.float32),
        np.asarray(vectors),
    )
    near = np.empty(len(wanted), np.float32)
    pointers = [faiss.swig_ptr(array) for array in (near, sought, matrix, wanted)]
    faiss.fvec_inner_products_by_idx(*pointers, matrix.shape[1], 1, len(wanted))
    return near


def kth(values: NDArray[Any], k: int) -> Any:
    """The k-th largest of k or more values."""
    return np.partition(values, len(values) - k)[len(values) - k]
