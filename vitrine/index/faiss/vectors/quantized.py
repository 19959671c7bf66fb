"""Vectors in 8 bits a number, scanned straight from a mapped file: a quarter of the memory traffic.

The scan is exact. Why it may be: a row is v = c + s q + r (center, scale, levels, what rounding
left over), the query u = t p + w likewise without a center, and |u| = 1. So

    <u, v> = <u, c> + s t <p, q> + <w, s q> + <u, r>

where the first two terms are what the scan computes, and by Cauchy-Schwarz the others are at most
|w| |s q| + |r|. |r| is stored for each row and |w| known for the query: every row has a score it
cannot exceed. The k rows with the largest approximations are scored exactly; the worst of them is a
score that k rows reach, and only rows that could exceed it are scored as well.

A product with several pictures has the largest of its rows' approximations, and its score cannot
exceed that by more than the largest of its rows' errors. So the same holds for products, and of
each product only those rows are scored that could be its best, or exceed the worst of the k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints, ragged_positions
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import (
    FLOAT32_ERROR,
    ScoredRows,
    best_of_rows,
    exact_top_k,
    inner_products,
    kth_largest,
    score_rows,
    trim_ties,
)
from vitrine.index.faiss.vectors.parallel import parallel_map
from vitrine.index.faiss.vectors.product_vectors import (
    ProductRows,
    ProductVectors,
    Vectors,
    largest_of_each,
)
from vitrine.index.faiss.vectors.shared_scans import SharedScans, code_dots
from vitrine.products import Vector
from vitrine.storage.array_file import map_arrays, map_tail

__all__ = [
    "QuantizedQuery",
    "QuantizedRows",
    "QuantizedVectors",
    "decoded",
    "fitting_scale",
    "quantize",
]

_LARGEST = 127
_ZERO = 127
"""The code of level 0: codes are bytes without a sign, as FAISS keeps them, so that its graph walks
over the rows that are scanned."""
_DOT_ERROR = 4 * 255**2 * 2.0**-24
"""By which a product of codes is off in float32, per number of a row: four roundings."""
_CONTIGUOUS = 0.3
"""Share of the rows from which on it is quicker to scan all than to gather those."""
_SCANNED, _GATHERED = 25_000, 8192
"""Rows that one thread scans at a time: of all rows, and of rows it has to gather."""
_BLOCK = 4096
"""Rows gathered at a time: they stay in the processor's cache until they are read again."""


@dataclass(frozen=True, eq=False)
class QuantizedRows:
    """Rows (n, d) as center + scale * level; each array but the codes is (n,) float32."""

    codes: NDArray[np.uint8]
    scale: np.float32
    sums: NDArray[np.float32]
    """Of the codes of each row, which are whole numbers."""
    lengths: NDArray[np.float32]
    """Of scale * level."""
    errors: NDArray[np.float32]
    """How far the quantized row is from its vector."""


def fitting_scale(vectors: Vectors, center: Vector) -> np.float32:
    """The scale at which the levels reach as far as 99 of 100 vectors do.

    The others are cut, and their errors say so; a few odd ones do not spoil the rest.
    """
    starts = range(0, max(len(vectors), 1), _BLOCK)
    blocks = (np.abs(vectors[start : start + _BLOCK] - center) for start in starts)
    largest = np.concatenate([block.max(axis=1, initial=0.0) for block in blocks])
    return np.float32(max(np.quantile(largest, 0.99), 1e-20) / _LARGEST)


def quantize(vectors: Vectors, center: Vector, scale: np.float32) -> QuantizedRows:
    """8-bit rows of vectors (n, d)."""
    centered = vectors - center
    codes = np.clip(np.rint(centered / scale) + _ZERO, 0, 255).astype(np.uint8)
    steps = (codes - np.float32(_ZERO)) * scale
    errors = np.linalg.norm(centered - steps, axis=1)
    sums = codes.sum(axis=1, dtype=np.int64).astype(np.float32)
    return QuantizedRows(codes, scale, sums, np.linalg.norm(steps, axis=1), errors)


def decoded(codes: NDArray[np.uint8], center: Vector, scale: np.float32) -> Vectors:
    """The vectors that codes stand for."""
    return center + scale * (codes - np.float32(_ZERO))


@dataclass(frozen=True, eq=False)
class QuantizedQuery:
    """A query in 8 bits without a center, its product with the rows' center, and by how much at
    most a cosine exceeds what the codes say beside the error of the row."""

    rows: QuantizedRows
    center: np.float32
    slack: np.float32


@dataclass(frozen=True, eq=False)
class _Scan:
    """What a scan tells of some products.

    `scores` (products,) are about theirs, which exceed them by `slacks` (products,) at most. The
    same of the rows that were scanned: `row_scores` (rows,), and the errors of the rows with
    `row_slack` beyond. Product i has the rows at offsets[keys[i]]:offsets[keys[i] + 1]; `numbers`
    tells which these are among all vectors, None where they are the same.
    """

    products: Ints
    scores: NDArray[np.float32]
    slacks: NDArray[np.float32]
    row_scores: NDArray[np.float32]
    row_slack: np.float32
    offsets: Ints
    keys: Ints
    numbers: Ints | None


class QuantizedVectors:
    """The 8-bit rows of the files that `build.write_quantized` made of these vectors."""

    def __init__(self, folder: Path, files: tuple[str, str], vectors: ProductVectors) -> None:
        """`OSError`, `ValueError` or `KeyError` when the files cannot be read."""
        codes, about = files
        arrays = map_arrays(folder / about)
        self._vectors = vectors
        self._center: NDArray[np.float32] = arrays["center"]
        self._sums, self._errors = arrays["sums"], arrays["errors"]
        self._scale, self._longest = np.float32(arrays["scale"]), arrays["longest"]
        shape = (len(self._sums), len(self._center))
        self._codes: NDArray[np.uint8] = map_tail(folder / codes, np.uint8, shape)
        self._scans = SharedScans(self._codes)

    @cached_property
    def product_errors(self) -> NDArray[np.float32]:
        """The largest error of each product's rows."""
        errors: NDArray[np.float32] = largest_of_each(self._errors, self._vectors.offsets)
        return errors

    def top_k(self, products: Ints, query: Vector, k: int) -> ScoredRows:
        """As `exact_top_k` of the same vectors, with the same result."""
        if len(products) <= k:
            return exact_top_k(self._vectors, products, query, k)
        scan = self._scan(products, query)
        likely = scan.scores >= kth_largest(scan.scores, k)
        # the best row of a product is at least as good as the least that its likeliest can be
        least_of_each = (scan.scores - scan.slacks)[likely]
        rows, bounds = self._rows(scan, likely)
        winners = rows.where(bounds >= least_of_each[rows.places])
        best = best_of_rows(self._vectors, winners, query, k)
        least = best.scores.min().item() - FLOAT32_ERROR  # the k-th best of all has that at least
        rows, bounds = self._rows(scan, ~likely & (scan.scores + scan.slacks >= least))
        rows = rows.where(bounds >= least)
        rows = rows.where(inner_products(self._vectors.rows, rows.rows, query) >= least)
        return trim_ties(ScoredRows.concat([best, score_rows(self._vectors, rows, query)]), k)

    def bounds(
        self, products: Ints, query: Vector
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each product about its score, and what it cannot exceed.

        It is at least as far above its least as that is above it.
        """
        scan = self._scan(products, query)
        return scan.scores, scan.scores + scan.slacks

    def bounds_of(
        self, selected: ProductRows, query: QuantizedQuery
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same where only some rows of each product count."""
        scan = self._gather(selected, query)
        return scan.scores, scan.scores + scan.slacks

    def _scan(self, products: Ints, query: Vector) -> _Scan:
        if len(products) <= _CONTIGUOUS * len(self._vectors):
            return self._gather(self._vectors.rows_of(products), self.quantized(query))
        quantized = self.quantized(query)
        row_scores, scores = self._scan_all(quantized)
        if len(products) < len(scores):
            scores = scores[products]
        slacks = self.product_errors[products] + quantized.slack
        offsets = self._vectors.offsets
        return _Scan(products, scores, slacks, row_scores, quantized.slack, offsets, products, None)

    def _gather(self, selected: ProductRows, query: QuantizedQuery) -> _Scan:
        shares = np.array_split(selected.rows, -(-len(selected.rows) // _GATHERED))
        dots = parallel_map(partial(_gathered_dots, query.rows.codes, self._codes), shares)
        row_scores = self._cosines(dots, self._sums[selected.rows], query)
        return _Scan(
            selected.products,
            largest_of_each(row_scores, selected.offsets),
            self.product_errors[selected.products] + query.slack,
            row_scores,
            query.slack,
            selected.offsets,
            np.arange(len(selected.products)),
            selected.rows,
        )

    def quantized(self, query: Vector) -> QuantizedQuery:
        """The query as `bounds_of` takes it."""
        zero = np.zeros_like(query)
        rows = quantize(query[None], zero, np.abs(query).max() / np.float32(_LARGEST))
        slack = rows.errors[0] * self._longest + np.float32(FLOAT32_ERROR)
        slack += self._scale * rows.scale * np.float32(_DOT_ERROR * len(query))
        return QuantizedQuery(rows, np.float32(query @ self._center), slack)

    def _scan_all(self, query: QuantizedQuery) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """About the cosine of every row, and about the score of every product."""
        dots = self._scans.dots(query.rows.codes)
        row_scores = self._cosines(dots, self._sums, query)
        if self._vectors.single:
            return row_scores, row_scores
        offsets, step = self._vectors.offsets, _SCANNED

        def largest(first: int) -> NDArray[np.float32]:
            own = offsets[first : first + step + 1]
            return largest_of_each(row_scores[own[0] : own[-1]], own - own[0])

        return row_scores, parallel_map(largest, range(0, len(self._vectors), step))

    def _cosines(
        self, dots: NDArray[np.float32], sums: NDArray[np.float32], query: QuantizedQuery
    ) -> NDArray[np.float32]:
        """About the cosines of rows, from the inner products and sums of their codes."""
        constant = _ZERO * _ZERO * len(self._center) - _ZERO * query.rows.sums[0]
        levels = dots - np.float32(_ZERO) * sums + np.float32(constant)
        return np.asarray(levels * (self._scale * query.rows.scale) + query.center, np.float32)

    def _rows(self, scan: _Scan, mask: Mask) -> tuple[ProductRows, NDArray[np.float32]]:
        """The rows of the products of a mask, and what each row's cosine cannot exceed."""
        places = np.flatnonzero(mask)
        keys = scan.keys[places]
        if self._vectors.single:
            offsets, positions = np.arange(len(keys) + 1), keys
        else:
            offsets, positions = ragged_positions(scan.offsets, keys)
        numbers = positions if scan.numbers is None else scan.numbers[positions]
        slacks = self._errors[numbers] + scan.row_slack
        bounds = np.asarray(scan.row_scores[positions] + slacks, np.float32)
        return ProductRows(scan.products[places], offsets, numbers), bounds


def _gathered_dots(
    query: NDArray[np.uint8], codes: NDArray[np.uint8], rows: Ints
) -> NDArray[np.float32]:
    """The same of some rows."""
    dots = np.empty(len(rows), np.float32)
    buffer = np.empty((min(_BLOCK, len(rows)), codes.shape[1]), np.uint8)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # mode="clip" because "raise" would copy once more
        gathered = np.take(codes, block, axis=0, out=buffer[: len(block)], mode="clip")
        dots[start : start + _BLOCK] = code_dots(query, gathered)
    return dots
