"""The best products by cosine similarity, exactly.

Whatever finds the rows, scores are computed again in float64 from the float32 vectors and
rounded, so every plan gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.faiss_module import load_faiss
from vitrine.index.faiss.vectors.product_vectors import (
    ProductRows,
    ProductVectors,
    Vectors,
    largest_of_each,
)
from vitrine.index.ports import SCORE_DECIMALS
from vitrine.products import Vector

__all__ = [
    "FLOAT32_ERROR",
    "ScoredRows",
    "best_of_rows",
    "exact_scores",
    "exact_top_k",
    "float32_scores",
    "inner_products",
    "kth_largest",
    "reached_by",
    "score_products",
    "score_rows",
    "trim_ties",
]

FLOAT32_ERROR = 2e-4
"""Bound on the error of a float32 inner product of two unit rows, `SCORE_DECIMALS` included.

n x 2^-24 for n summands (Higham, Accuracy and Stability, 3.1): 2.5e-4 at 4096 dimensions in the
worst order of summation, far less in the blocked order used here.
"""
_CHUNK = 128
"""Rows copied at a time: a copy that stays in the processor's cache is read again for nothing."""
_FEW = 256
"""So few rows are scored exactly sooner than it is found out which of them need not be."""
_GROUPS = 16
"""Groups for each of the k largest values: with so many, few of these share a group, and little
more than k values reach the result."""


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Products of a segment by row, with exact scores and the pictures that have them; (n,) each.

    A score is the largest of the product's pictures, rounded; `images` counts the pictures of each
    product from 0 and names the first that has it. In no order.
    """

    rows: Ints
    scores: NDArray[np.float64]
    images: Ints

    def take(self, positions: Ints | Mask) -> ScoredRows:
        """These positions, in their order."""
        return ScoredRows(self.rows[positions], self.scores[positions], self.images[positions])

    @staticmethod
    def concat(parts: Sequence[ScoredRows]) -> ScoredRows:
        """All of one or more parts."""
        return ScoredRows(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.images for part in parts]),
        )


def exact_top_k(pictures: ProductVectors, products: Ints, query: Vector, k: int) -> ScoredRows:
    """The products that score at least as well as the k-th best: more than k where they tie.

    Two passes, float32 over all rows and float64 over few, and nothing is lost between them: with
    e = `FLOAT32_ERROR` and t the k-th largest float32 score, k products score t - e or more, so the
    k-th best score is at least t - e, and a product that reaches it has a float32 score of t - 2e
    or more. That a score is the largest of several changes nothing: the largest of numbers that are
    off by e at most is off by e at most. For the same reason a row that has its product's score is
    at most 2e below the largest of that product in float32. Such rows are those of the second pass.
    """
    return best_of_rows(pictures, pictures.rows_of(products), query, k)


def best_of_rows(
    vectors: ProductVectors, selected: ProductRows, query: Vector, k: int
) -> ScoredRows:
    """As `exact_top_k`, where only the selected rows of a product can have its largest cosine."""
    if len(selected.rows) > max(k + k // 8, _FEW):
        values = inner_products(vectors.rows, selected.rows, query)
        least = largest_of_each(values, selected.offsets) - np.float32(2 * FLOAT32_ERROR)
        if len(selected.products) > k:
            least[least < kth_largest(least, k) - 2 * FLOAT32_ERROR] = np.inf
        selected = selected.where(values >= least[selected.places])
    return trim_ties(score_rows(vectors, selected, query), k)


def float32_scores(vectors: ProductVectors, products: Ints, query: Vector) -> NDArray[np.float32]:
    """The largest inner product of each product's rows with the query (n,), in float32."""
    selected = vectors.rows_of(products)
    values = inner_products(vectors.rows, selected.rows, query)
    scores: NDArray[np.float32] = largest_of_each(values, selected.offsets)
    return scores


def score_products(vectors: ProductVectors, products: Ints, query: Vector) -> ScoredRows:
    """Exact scores of the products, and which row of each has it."""
    return score_rows(vectors, vectors.rows_of(products), query)


def score_rows(vectors: ProductVectors, selected: ProductRows, query: Vector) -> ScoredRows:
    """As `score_products`, where only the selected rows of a product can have the largest."""
    products = selected.products
    cosines = exact_scores(vectors.rows, selected.rows, query)
    scores = largest_of_each(cosines, selected.offsets)
    if vectors.single:
        return ScoredRows(products, scores, np.zeros(len(products), np.int64))
    winners = np.flatnonzero(cosines == scores[selected.places])
    first = np.unique(selected.places[winners], return_index=True)[1]
    return ScoredRows(products, scores, selected.rows[winners[first]] - vectors.offsets[products])


def exact_scores(vectors: Vectors, rows: Ints, query: Vector) -> NDArray[np.float64]:
    """Cosine similarities of the rows (n,), summed in float64, rounded to `SCORE_DECIMALS`."""
    if not len(rows):
        return np.zeros(0)
    copied = np.empty((min(_CHUNK, len(rows)), vectors.shape[1]), np.float32)
    cosines = np.empty(len(rows))
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        # mode="clip" because "raise" would copy once more
        few = np.take(vectors, chunk, axis=0, out=copied[: len(chunk)], mode="clip")
        # not BLAS: its result may depend on how many rows are multiplied together
        cosines[start : start + _CHUNK] = np.asarray(numkong.cdist(query[None], few, "dot"))[0]
    # adding zero turns -0.0 into 0.0
    return np.round(cosines, SCORE_DECIMALS) + 0.0


def trim_ties(scored: ScoredRows, k: int) -> ScoredRows:
    """Only those that score at least as well as the k-th best."""
    if len(scored.rows) <= k:
        return scored
    return scored.take(scored.scores >= kth_largest(scored.scores, k))


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


def reached_by(values: NDArray[Any], k: int, *, above: float) -> Any:
    """A number that k or more of the values reach, mostly little below the k-th largest.

    The k-th largest of the largest of groups, each of them a value: one pass instead of a partition
    of all. k or more of the values are above the number given, and so is the result.
    """
    groups = _GROUPS * k
    rows = len(values) // groups
    if rows > 1:
        largest = values[: rows * groups].reshape(rows, groups).max(axis=0)
        reached = kth_largest(largest, k)
        if reached > above:
            return reached
    return kth_largest(values, k)
