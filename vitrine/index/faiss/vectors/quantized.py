"""Vectors in 8 bits a number, scanned straight from a mapped file: a quarter of the memory traffic.

The scan is exact. Why it may be: a row is v = c + s q + r (center, scale, codes, what rounding left
over), the query u = t p + w likewise without a center, and |u| = 1. So

    <u, v> = <u, c> + s t <p, q> + <w, s q> + <u, r>

where the first two terms are what the scan computes, and by Cauchy-Schwarz the others are at most
|w| |s q| + |r|. |r| is stored for each row and |w| known for the query: every row has a score it
cannot exceed. The k rows with the largest approximations are scored exactly; the worst of them is a
score that k rows reach, and only rows that could exceed it are scored as well. A product with
several pictures has the largest approximation and the largest bound of its rows, and the same holds
for products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.vectors.exact import (
    FLOAT32_ERROR,
    ScoredRows,
    exact_top_k,
    float32_scores,
    kth_largest,
    score_products,
    trim_ties,
)
from vitrine.index.faiss.vectors.parallel import parallel_map
from vitrine.index.faiss.vectors.product_vectors import ProductVectors, Vectors, largest_of_each
from vitrine.products import Vector
from vitrine.storage.array_file import map_array, map_arrays

__all__ = ["QuantizedRows", "QuantizedVectors", "quantize"]

_LARGEST = 127
_CONTIGUOUS = 0.3
"""Share of the rows from which on it is quicker to scan all than to gather those."""
_SCANNED, _GATHERED = 25_000, 8192
"""Rows that one thread scans at a time: of all rows, and of rows it has to gather."""
_BLOCK = 4096
"""Rows gathered at a time: they stay in the processor's cache until they are read again."""


@dataclass(frozen=True, eq=False)
class QuantizedRows:
    """Rows (n, d) as center + scale * code; each array but the codes is (n,) float32."""

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    lengths: NDArray[np.float32]
    """Of scale * code."""
    errors: NDArray[np.float32]
    """How far the quantized row is from its vector."""


def quantize(vectors: Vectors, center: Vector) -> QuantizedRows:
    """8-bit rows of vectors (n, d), each with the scale that just fits it."""
    centered = vectors - center
    largest = np.maximum(np.abs(centered).max(axis=1, initial=0.0), np.float32(1e-20))
    scales = largest / np.float32(_LARGEST)
    codes = np.rint(centered / scales[:, None]).astype(np.int8)
    decoded = codes * scales[:, None]
    errors = np.linalg.norm(centered - decoded, axis=1)
    return QuantizedRows(codes, scales, np.linalg.norm(decoded, axis=1), errors)


class QuantizedVectors:
    """The 8-bit rows of the files that `build.write_quantized` made."""

    def __init__(self, folder: Path, files: tuple[str, str]) -> None:
        """`OSError`, `ValueError` or `KeyError` when the files cannot be read."""
        codes, about = files
        arrays = map_arrays(folder / about)
        self._center: NDArray[np.float32] = arrays["center"]
        self._scales, self._errors = arrays["scales"], arrays["errors"]
        self._longest = arrays["longest"]
        shape = (len(self._scales), len(self._center))
        self._codes: NDArray[np.int8] = map_array(folder / codes, np.int8, shape)

    def top_k(self, pictures: ProductVectors, products: Ints, query: Vector, k: int) -> ScoredRows:
        """As `exact_top_k` of the same vectors, with the same result."""
        if len(products) <= k:
            return exact_top_k(pictures, products, query, k)
        approximations, bounds = self._scores(pictures, products, query)
        likely = np.flatnonzero(approximations >= kth_largest(approximations, k))
        best = score_products(pictures, products[likely], query)
        bounds[likely] = -np.inf  # those are known now
        least = best.scores.min().item() - FLOAT32_ERROR  # the k-th best of all has that at least
        rest = products[bounds >= least]
        rest = rest[float32_scores(pictures, rest, query) >= least]
        others = score_products(pictures, rest, query)
        return trim_ties(ScoredRows.concat([best, others]), k)

    def bounds(
        self, pictures: ProductVectors, products: Ints, query: Vector
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each product about its score, and what it cannot exceed.

        It is at least as far above its least as that is above it.
        """
        return self._scores(pictures, products, query)

    def _scores(
        self, pictures: ProductVectors, products: Ints, query: Vector
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each product about its score, and what it cannot exceed."""
        quantized, total = quantize(query[None], np.zeros_like(query)), len(self._codes)
        rows: Ints | slice = slice(None)
        if len(products) > _CONTIGUOUS * len(pictures):
            scans = [self._codes[start : start + _SCANNED] for start in range(0, total, _SCANNED)]
            dots = parallel_map(partial(_dots, quantized.codes), scans)
            offsets = pictures.offsets
        else:
            offsets, rows = pictures.positions(products)
            shares = np.array_split(rows, -(-len(rows) // _GATHERED))
            dots = parallel_map(partial(_gathered_dots, quantized.codes, self._codes), shares)
        approximations = dots * (self._scales[rows] * quantized.scales) + query @ self._center
        slack = quantized.errors * self._longest + np.float32(FLOAT32_ERROR)
        bounds = largest_of_each(approximations + (self._errors[rows] + slack), offsets)
        approximations = largest_of_each(approximations, offsets)
        if len(products) < len(approximations):
            return approximations[products], bounds[products]
        return approximations, bounds


def _dots(query: NDArray[np.int8], codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Inner products (n,) of one row of codes (1, d) with others (n, d)."""
    products = numkong.cdist(query, codes, "dot", out_dtype="float32")
    dots: NDArray[np.float32] = np.asarray(products)[0]
    return dots


def _gathered_dots(
    query: NDArray[np.int8], codes: NDArray[np.int8], rows: Ints
) -> NDArray[np.float32]:
    """The same of some rows."""
    dots = np.empty(len(rows), np.float32)
    buffer = np.empty((min(_BLOCK, len(rows)), codes.shape[1]), np.int8)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # mode="clip" because "raise" would copy once more
        gathered = np.take(codes, block, axis=0, out=buffer[: len(block)], mode="clip")
        dots[start : start + _BLOCK] = _dots(query, gathered)
    return dots
