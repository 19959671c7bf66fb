"""Vectors in one bit a number: what may be among the best is found in an eighth of the traffic.

RaBitQ (Gao & Long, SIGMOD 2024, arXiv:2405.12497). A row is v = c + o (center, rest), R a random
rotation, b the signs of R o. For a query u let w = u - c. Then

    <u, v> = <u, c> + <c, o> + <w, o>    and    <w, o> is about s <R w, b>,  s = |o|^2 / |R o|_1

Over random rotations the estimate is right on average, and its error is about normal. The cosine of
R o and b is x = |R o|_1 / (|o| sqrt d), close to sqrt(2 / pi) for every row, so the deviation is

    |w| |o| sqrt((1 - x^2) / (x^2 (d - 1))) = s |w| sqrt((1 - x^2) d / (d - 1))

R w is rounded to three bits, which adds a deviation of s step sqrt(d / 12). So a score is above its
estimate by more than `DEVIATIONS` deviations in one row of 160; only such a row is ever missed, and
only where it is among the last of the best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import ScoredRows, exact_top_k, kth_largest
from vitrine.index.faiss.vectors.parallel import parallel_map
from vitrine.index.faiss.vectors.product_vectors import ProductRows, ProductVectors, Vectors
from vitrine.index.faiss.vectors.quantized import QuantizedQuery, QuantizedVectors
from vitrine.products import Vector
from vitrine.storage.array_file import map_array, map_arrays

__all__ = ["OneBitRows", "OneBitVectors", "one_bit_rows", "random_rotation"]

DEVIATIONS = 2.5
"""By how many deviations a row's score may be above its estimate without being missed."""
_SURE = 5.0
"""The error of an 8-bit row has any direction, so its part along the query deviates from zero by
its length over sqrt(d), and is this many times that in one row of three million."""
_BITS = 3
"""Of a number of the query: with a row of ones they are the four that are counted at once."""
_MIDDLE = np.float32(3.5)
"""Of the eight levels of such a number."""
_MANY = 0.15
"""Share of the rows that may be among the best from which on all 8-bit rows are scanned sooner than
those are gathered: where all score alike, as for a text's vector among those of pictures."""
_CONTIGUOUS = 0.3
"""Share of the rows from which on it is quicker to scan all than to gather those."""
_ROWS = 16_384
"""Rows that one thread scans at a time; they stay in the processor's cache."""
_SAMPLE, _FEWEST = 16_384, 16
"""Estimates of which some, and at least so many, are found to be the highest: all of them would
take as long again."""

_Range: TypeAlias = slice | Ints


@dataclass(frozen=True, eq=False)
class OneBitRows:
    """Rows (n, d): the signs of each, packed, (n, ceil(d / 8)), s (n,) and <c, o> (n,)."""

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    shifts: NDArray[np.float32]


def random_rotation(dimension: int) -> NDArray[np.float32]:
    """A random orthogonal matrix (d, d), the same for each call."""
    numbers = np.random.default_rng(0).standard_normal((dimension, dimension))
    return np.linalg.qr(numbers)[0].astype(np.float32)


def one_bit_rows(vectors: Vectors, center: Vector, rotation: NDArray[np.float32]) -> OneBitRows:
    """One-bit rows of vectors (n, d)."""
    centered = vectors - center
    rotated = centered @ rotation
    sums = np.maximum(np.abs(rotated).sum(axis=1), np.float32(1e-20))
    scales = np.asarray(np.square(centered).sum(axis=1) / sums, np.float32)
    shifts = np.asarray(centered @ center, np.float32)
    return OneBitRows(np.packbits(rotated > 0, axis=1), scales, shifts)


@dataclass(frozen=True, eq=False)
class _Scan:
    """Estimates (n,) of all rows (`rows` is None) or of some, and the standard deviation of their
    errors where s is 1. A `share` of them is of rows under the filter; `under_filter` tells which,
    where these are not all."""

    estimates: NDArray[np.float32]
    deviation: float
    rows: Ints | None
    under_filter: Callable[[Ints], Mask] | None
    share: float

    def places(self, least: np.floating) -> Ints:
        """Positions of the estimates that reach `least`, of rows under the filter."""
        places = np.flatnonzero(self.estimates >= least)
        return places if self.under_filter is None else places[self.under_filter(places)]

    def numbers(self, places: Ints) -> Ints:
        """The rows (of all) at these positions of the scan."""
        return places if self.rows is None else self.rows[places]


class OneBitVectors:
    """The one-bit rows of the files that `build.write_one_bit` made of these vectors."""

    def __init__(
        self, folder: Path, files: tuple[str, str], vectors: ProductVectors, codes: QuantizedVectors
    ) -> None:
        """`codes` are of the same vectors.

        `OSError`, `ValueError` or `KeyError` when the files cannot be read.
        """
        arrays = map_arrays(folder / files[1])
        self._vectors = vectors
        self._quantized = codes
        self._center: NDArray[np.float32] = arrays["center"]
        self._rotation: NDArray[np.float32] = arrays["rotation"]
        scales, shifts = arrays["scales"], arrays["shifts"]
        shape = (len(scales), -(-len(self._center) // 8))
        self._rows = OneBitRows(map_array(folder / files[0], np.uint8, shape), scales, shifts)

    @cached_property
    def _largest_scale(self) -> np.float32:
        return np.float32(self._rows.scales.max())

    def top_k(self, mask: Mask, query: Vector, k: int) -> ScoredRows:
        """As `exact_top_k` of the products of a mask, but that a row near the end of the k best may
        be missed; all scores are exact."""
        count = int(np.count_nonzero(mask))
        if count <= k:
            return exact_top_k(self._vectors, np.flatnonzero(mask), query, k)
        scan, quantized = self._scan(mask, count, query), self._quantized.quantized(query)
        likely, least = self._likely(scan, quantized, k)
        reach = np.float32(DEVIATIONS * scan.deviation)
        places = scan.places(min(likely, least - reach * self._largest_scale))
        estimates, rows = scan.estimates[places], scan.numbers(places)
        possible = (estimates >= likely) | (estimates + reach * self._rows.scales[rows] >= least)
        if scan.rows is None and np.count_nonzero(possible) > _MANY * len(scan.estimates):
            return self._quantized.top_k(mask, query, k)
        selected = self._selected(rows[possible])
        about, most = self._quantized.bounds_of(selected, quantized)
        slack = (most - about) * np.float32(min(1.0, _SURE / len(query) ** 0.5))
        products = selected.products[about + slack >= kth_largest(about - slack, k)]
        return exact_top_k(self._vectors, products, query, k)

    def _likely(self, scan: _Scan, query: QuantizedQuery, k: int) -> tuple[np.float32, np.float32]:
        """An estimate that rows of k products or more reach, and approximately the k-th best score
        of these."""
        sample = scan.estimates[:: -(-len(scan.estimates) // _SAMPLE)]
        highest = (k + k // 2 + 48) * self._vectors.per_product / scan.share
        highest = max(highest * len(sample) / len(scan.estimates), _FEWEST)
        while True:
            likely = kth_largest(sample, int(min(highest, len(sample))))
            if highest >= len(sample):
                likely = np.float32(-np.inf)
            selected = self._selected(scan.numbers(scan.places(likely)))
            if len(selected.products) >= k:
                # about: 8 bits are off by a fiftieth of a deviation
                return likely, kth_largest(self._quantized.bounds_of(selected, query)[0], k)
            highest *= 2

    def _selected(self, rows: Ints) -> ProductRows:
        """Ascending rows, grouped by their products."""
        if self._vectors.single:
            return ProductRows(rows, np.arange(len(rows) + 1), rows)
        owners = self._vectors.owners[rows]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        return ProductRows(owners[starts].astype(np.int64), np.append(starts, len(rows)), rows)

    def _scan(self, mask: Mask, count: int, query: Vector) -> _Scan:
        estimate, deviation = self._estimate(query)
        if count <= _CONTIGUOUS * len(mask):
            rows = self._vectors.rows_of(np.flatnonzero(mask)).rows
            pairs = -(-len(rows) // (2 * _ROWS))
            shares = np.array_split(rows, 2 * pairs)  # so that two cores end together
            return _Scan(parallel_map(estimate, shares), deviation, rows, None, 1.0)
        starts = range(0, len(self._rows.codes), _ROWS)
        estimates = parallel_map(estimate, [slice(start, start + _ROWS) for start in starts])
        share = count / len(mask)
        owners = None if self._vectors.single else self._vectors.owners

        def under_filter(places: Ints) -> Mask:
            return mask[places if owners is None else owners[places]]

        return _Scan(estimates, deviation, None, None if share == 1 else under_filter, share)

    def _estimate(self, query: Vector) -> tuple[Callable[[_Range], NDArray[np.float32]], float]:
        """A function from rows to their estimates, and the standard deviation of the errors where s
        is 1."""
        offset = query - self._center
        rotated = offset @ self._rotation
        dimension = len(rotated)
        step = max(np.abs(rotated).max() / _MIDDLE, np.float32(1e-20))
        levels = np.rint(rotated / step + _MIDDLE).astype(np.uint8)
        bits = (levels >> np.arange(_BITS, dtype=np.uint8)[:, None]) & 1
        planes = np.packbits(np.concatenate([bits, np.ones((1, dimension), np.uint8)]), axis=1)
        packed = numkong.dots_pack(_bits(planes))
        # <R w, b> is twice the sum over the positive signs less the sum over all
        weights = 2 * step * np.append(2.0 ** np.arange(_BITS), -_MIDDLE).astype(np.float32)
        total = step * (np.float32(levels.sum(dtype=np.int64)) - _MIDDLE * dimension)
        center, own = np.float32(query @ self._center), self._rows

        def estimate(rows: _Range) -> NDArray[np.float32]:
            counts = np.asarray(numkong.dots_packed(_bits(_take(own.codes, rows)), packed))
            estimates: NDArray[np.float32] = counts.astype(np.float32) @ weights
            estimates -= total
            estimates *= _take(own.scales, rows)
            estimates += _take(own.shifts, rows)
            estimates += center
            return estimates

        of_signs = float(offset @ offset) * (1 - 2 / np.pi) * dimension / max(dimension - 1, 1)
        return estimate, float(np.sqrt(of_signs + step**2 * dimension / 12))


def _take(rows: NDArray[Any], numbers: _Range) -> NDArray[Any]:
    if isinstance(numbers, slice):
        return rows[numbers]
    # mode="clip" because "raise" would copy once more
    return np.take(rows, numbers, axis=0, mode="clip")


def _bits(packed: NDArray[np.uint8]) -> Any:
    """A matrix of packed bits as numkong takes it: its type tells them from bytes."""
    rows = np.ascontiguousarray(packed)
    return numkong.from_pointer(rows.ctypes.data, rows.shape, "uint1", owner=rows)
