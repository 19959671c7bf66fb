"""The best rows by cosine similarity, exactly.

Whatever finds the rows, scores are computed again in float64 from the float32 vectors and
rounded, so every plan gives the same.
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
    "ScoredRows",
    "Vectors",
    "exact_scores",
    "exact_top_k",
    "inner_products",
    "kth_largest",
    "trim_ties",
]

Vectors: TypeAlias = NDArray[np.float32]
"""Unit rows (n, dimension), often mapped from a file."""

FLOAT32_ERROR = 2e-4
"""Bound on the error of a float32 inner product of two unit rows, `SCORE_DECIMALS` included.

n x 2^-24 for n summands (Higham, Accuracy and Stability, 3.1): 2.5e-4 at 4096 dimensions in the
worst order of summation, far less in the blocked order used here.
"""
_CHUNK = 4096
_FEW = 256
"""So few rows are scored exactly sooner than it is found out which of them need not be."""


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows of a segment and their exact, rounded scores, (n,) each, in no order."""

    rows: Ints
    scores: NDArray[np.float64]


def exact_top_k(vectors: Vectors, rows: Ints, query: Vector, k: int) -> ScoredRows:
    """Of the rows all that score at least as well as the k-th best; more than k where scores tie.

    Two passes, float32 over all rows and float64 over few, and nothing is lost between them: with
    e = `FLOAT32_ERROR` and t the k-th largest float32 product, k rows score t - e or more, so the
    k-th best score is at least t - e, and a row that reaches it has a float32 product of t - 2e or
    more. Those are the rows of the second pass.
    """
    if len(rows) > max(k, _FEW):
        products = inner_products(vectors, rows, query)
        rows = rows[products >= kth_largest(products, k) - 2 * FLOAT32_ERROR]
    return trim_ties(ScoredRows(rows, exact_scores(vectors, rows, query)), k)


def exact_scores(vectors: Vectors, rows: Ints, query: Vector) -> NDArray[np.float64]:
    """Cosine similarities of the rows (n,), summed in float64, rounded to `SCORE_DECIMALS`."""
    # not BLAS: its result may depend on how many rows are multiplied together
    chunks = [
        np.asarray(numkong.cdist(query[None], vectors[rows[start : start + _CHUNK]], "dot"))[0]
        for start in range(0, len(rows), _CHUNK)
    ]
    # adding zero turns -0.0 into 0.0
    return np.round(np.concatenate(chunks), SCORE_DECIMALS) + 0.0 if chunks else np.zeros(0)


def trim_ties(scored: ScoredRows, k: int) -> ScoredRows:
    """Those that score at least as well as the k-th best."""
    if len(scored.rows) <= k:
        return scored
    best = scored.scores >= kth_largest(scored.scores, k)
    return ScoredRows(scored.rows[best], scored.scores[best])


def inner_products(vectors: Vectors, rows: Ints, query: Vector) -> NDArray[np.float32]:
    """Inner products (n,) of the query with some rows, in float32, without copying the rows."""
    faiss = load_faiss()
    matrix = np.asarray(vectors)
    numbers = np.ascontiguousarray(rows, np.int64)
    vector = np.ascontiguousarray(query, np.float32)
    products = np.empty(len(numbers), np.float32)
    pointers = [faiss.swig_ptr(array) for array in (products, vector, matrix, numbers)]
    faiss.fvec_inner_products_by_idx(*pointers, matrix.shape[1], 1, len(numbers))
    return products


def kth_largest(values: NDArray[Any], k: int) -> Any:
    """The k-th largest of k or more values."""
    return np.partition(values, len(values) - k)[len(values) - k]
