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
    reached_by,
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
from vitrine.storage.array_file import map_array, map_arrays

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
_DOT_ERROR = 6 * 255**2 * 2.0**-24
"""By which levels are off in float32, per number of a row: six roundings."""
_NONE = np.float32(1e38)
"""Subtracted from the levels of products that are not under the filter: far below all others."""
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
    """A query in 8 bits without a center, (1, d), as it is compared with rows.

    The levels of a row, its product with the codes less `_ZERO` times its sum, stand for a cosine
    of about `base` + `step` times the levels. The cosine itself exceeds that by at most `slack`
    beside the error of the row.
    """

    codes: NDArray[np.uint8]
    step: float
    base: float
    slack: float

    def cosines(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosines that the levels stand for."""
        return levels * np.float32(self.step) + np.float32(self.base)

    def levels(self, cosine: float) -> np.float32:
        """The levels that stand for a cosine."""
        return np.float32((cosine - self.base) / self.step)


@dataclass(frozen=True, eq=False)
class _Scan:
    """What a scan tells of some products, by their places in it.

    The score of a product exceeds what its `levels` (places,) stand for by at most its `errors`
    (places,) and the slack of the query; those that are not under the filter are below every level.
    The same of the rows that were scanned: `row_levels` (rows,). The product at place i has the
    rows at offsets[i]:offsets[i + 1]. `products` and `rows` tell which of all these are, None where
    all were scanned.
    """

    levels: NDArray[np.float32]
    errors: NDArray[np.float32]
    row_levels: NDArray[np.float32]
    offsets: Ints
    products: Ints | None = None
    rows: Ints | None = None


class QuantizedVectors:
    """The 8-bit rows of the files that `build.write_quantized` made of these vectors."""

    def __init__(self, folder: Path, files: tuple[str, str], vectors: ProductVectors) -> None:
        """`OSError`, `ValueError` or `KeyError` when the files cannot be read."""
        codes, about = files
        arrays = map_arrays(folder / about)
        self._vectors = vectors
        self.center: NDArray[np.float32] = arrays["center"]
        self._sums, self._errors = arrays["sums"], arrays["errors"]
        self.scale, self._longest = np.float32(arrays["scale"]), arrays["longest"]
        shape = (len(self._sums), len(self.center))
        self.codes: NDArray[np.uint8] = map_array(folder / codes, np.uint8, shape)
        self._scans = SharedScans(self.codes)

    @cached_property
    def _zeros(self) -> NDArray[np.float32]:
        """What is taken from the product with a row's codes to get its levels, (rows,)."""
        zeros: NDArray[np.float32] = np.float32(_ZERO) * self._sums
        return zeros

    @cached_property
    def product_errors(self) -> NDArray[np.float32]:
        """The largest error of each product's rows."""
        errors: NDArray[np.float32] = largest_of_each(self._errors, self._vectors.offsets)
        return errors

    def top_k(self, mask: Mask, query: Vector, k: int) -> ScoredRows:
        """As `exact_top_k` of the products of a mask, with the same result."""
        count = int(np.count_nonzero(mask))
        if count <= k:
            return exact_top_k(self._vectors, np.flatnonzero(mask), query, k)
        own = self.quantized(query)
        if count <= _CONTIGUOUS * len(mask):
            scan = self._gather(self._vectors.rows_of(np.flatnonzero(mask)), own)
            return self._best(scan, query, own, k)

        def best(dots: NDArray[np.float32]) -> ScoredRows:
            scan = self._of_all(dots)
            if count < len(mask):  # to assign under a mask of random rows takes ten times as long
                np.subtract(scan.levels, ~mask * _NONE, out=scan.levels)
            return self._best(scan, query, own, k)

        return self._scans.scan(own.codes, best)

    def _best(self, scan: _Scan, query: Vector, own: QuantizedQuery, k: int) -> ScoredRows:
        """The k best products of a scan, and those that tie with the last of them."""
        reached = reached_by(scan.levels, k, above=float(-_NONE / 2))
        likely = np.flatnonzero(scan.levels >= reached)
        best = best_of_rows(self._vectors, self._rows(scan, likely, own), query, k)
        least = best.scores.min().item() - FLOAT32_ERROR  # the k-th best of all has that at least
        possible = np.flatnonzero(_most(scan, own) >= own.levels(least - own.slack))
        possible = possible[scan.levels[possible] < reached]
        rows = self._rows(scan, possible, own, least=least)
        rows = rows.where(inner_products(self._vectors.rows, rows.rows, query) >= least)
        return trim_ties(ScoredRows.concat([best, score_rows(self._vectors, rows, query)]), k)

    def bounds(
        self, products: Ints, query: Vector
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Approximate scores of the products (n,) and upper bounds (n,).

        A score lies as far below its approximation, at most, as the upper bound lies above that.
        """
        own = self.quantized(query)
        if len(products) <= _CONTIGUOUS * len(self._vectors):
            return self.bounds_of(self._vectors.rows_of(products), own)
        about = own.cosines(self._scans.scan(own.codes, self._of_all).levels)
        errors = self.product_errors
        if len(products) < len(about):
            about, errors = about[products], errors[products]
        return about, about + (errors + np.float32(own.slack))

    def bounds_of(
        self, selected: ProductRows, query: QuantizedQuery
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `bounds`, where only the selected rows of a product count."""
        scan = self._gather(selected, query)
        about = query.cosines(scan.levels)
        return about, about + (scan.errors + np.float32(query.slack))

    def _gather(self, selected: ProductRows, query: QuantizedQuery) -> _Scan:
        shares = np.array_split(selected.rows, -(-len(selected.rows) // _GATHERED))
        row_levels = parallel_map(partial(_gathered_dots, query.codes, self.codes), shares)
        row_levels -= self._zeros[selected.rows]
        return _Scan(
            largest_of_each(row_levels, selected.offsets),
            self.product_errors[selected.products],
            row_levels,
            selected.offsets,
            selected.products,
            selected.rows,
        )

    def quantized(self, query: Vector) -> QuantizedQuery:
        """The query in 8 bits, as `bounds_of` takes it."""
        scale = np.abs(query).max() / np.float32(_LARGEST)
        levels = np.rint(query / scale)
        error = float(np.linalg.norm(query - levels * scale))
        step, constant = float(self.scale) * float(scale), -_ZERO * float(levels.sum())
        return QuantizedQuery(
            (levels + np.float32(_ZERO)).astype(np.uint8)[None],
            step,
            float(query @ self.center) + step * constant,
            error * float(self._longest) + FLOAT32_ERROR + step * _DOT_ERROR * len(query),
        )

    def _of_all(self, dots: NDArray[np.float32]) -> _Scan:
        """The scan of all products from the inner products (rows,) of their rows' codes, which
        become levels in place."""
        row_levels, offsets, step = dots, self._vectors.offsets, _SCANNED
        row_levels -= self._zeros
        if self._vectors.single:
            return _Scan(row_levels, self._errors, row_levels, offsets)

        def largest(first: int) -> NDArray[np.float32]:
            own = offsets[first : first + step + 1]
            return largest_of_each(row_levels[own[0] : own[-1]], own - own[0])

        levels = parallel_map(largest, range(0, len(self._vectors), step))
        return _Scan(levels, self.product_errors, row_levels, offsets)

    def _rows(
        self, scan: _Scan, places: Ints, query: QuantizedQuery, *, least: float | None = None
    ) -> ProductRows:
        """The rows of the products at some places of the scan that can have a cosine of `least`;
        where it is None, those that can have the largest of their product."""
        products = places if scan.products is None else scan.products[places]
        if self._vectors.single:  # nothing to choose from
            return self._vectors.rows_of(products)
        offsets, positions = ragged_positions(scan.offsets, places)
        rows = positions if scan.rows is None else scan.rows[positions]
        selected = ProductRows(products, offsets, rows)
        most = query.cosines(scan.row_levels[positions]) + self._errors[rows]
        most += np.float32(query.slack)
        if least is not None:
            return selected.where(most >= least)
        # the best row of a product is at least as good as the least that its likeliest can be
        least_of_each = query.cosines(scan.levels[places]) - scan.errors[places] - query.slack
        return selected.where(most >= least_of_each[selected.places])


def _most(scan: _Scan, query: QuantizedQuery) -> NDArray[np.float32]:
    """Upper bounds of the scores, in levels, without the slack of the query."""
    most = scan.errors * np.float32(1 / query.step)
    most += scan.levels
    return most


def _gathered_dots(
    query: NDArray[np.uint8], codes: NDArray[np.uint8], rows: Ints
) -> NDArray[np.float32]:
    """Inner products (n,) of one row of codes (1, d) with some of others."""
    dots = np.empty(len(rows), np.float32)
    buffer = np.empty((min(_BLOCK, len(rows)), codes.shape[1]), np.uint8)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # mode="clip" because "raise" would copy once more
        gathered = np.take(codes, block, axis=0, out=buffer[: len(block)], mode="clip")
        dots[start : start + _BLOCK] = code_dots(query, gathered)
    return dots
