"""Histograms with round bounds: what a price slider shows."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vitrine.results import Bucket, RangeFacet

__all__ = ["MAX_BUCKETS", "range_facet", "round_bounds"]

MAX_BUCKETS = 20
_SERIES: Sequence[tuple[float, ...]] = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,))
"""Round numbers from one power of ten to the next, the finest series that gives few enough
buckets."""


def round_bounds(low: float, high: float) -> list[float]:
    """Bucket bounds from at or below `low` to at or above `high`, in steps of 1, 2 or 5 times a
    power of ten.

    At most `MAX_BUCKETS` buckets. Where `high` is more than so many times `low`, the steps grow
    with the numbers: of equal ones the first would hold most of what shops sell, which is many
    cheap things and a few dear ones. Where `low` equals `high`, or no round step tells them apart,
    the bounds are the two themselves.

    >>> round_bounds(3.0, 7.0)[:6]
    [3.0, 3.2, 3.4, 3.6, 3.8, 4.0]
    >>> round_bounds(30.0, 800.0)
    [30.0, 50.0, 70.0, 100.0, 150.0, 200.0, 300.0, 500.0, 700.0, 1000.0]
    """
    width = high - low
    if not (width > 0 and math.isfinite(width)):
        return [low, high]
    growing = _growing_bounds(low, high)
    if growing is not None:
        return growing
    exponent = math.floor(math.log10(width / MAX_BUCKETS))
    for power in (exponent, exponent + 1, exponent + 2):
        for factor in (1, 2, 5):
            bounds = _bounds(low, high, factor, power)
            if bounds is not None:
                return bounds
    return [low, high]


def _growing_bounds(low: float, high: float) -> list[float] | None:
    """Bounds that grow; None where equal steps tell the numbers apart as well."""
    if low <= 0 or high <= MAX_BUCKETS * low:
        return None
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    for series in _SERIES:
        bounds = _round_numbers(series, powers)
        first, last = bisect_right(bounds, low) - 1, bisect_left(bounds, high)
        if first >= 0 and last < len(bounds) and 0 < last - first <= MAX_BUCKETS:
            return list(bounds[first : last + 1])
    return None


@lru_cache(64)
def _round_numbers(series: tuple[float, ...], powers: range) -> tuple[float, ...]:
    """The numbers of a series with each power of ten, ascending."""
    return tuple(float(f"{number}e{power}") for power in powers for number in series)


def _bounds(low: float, high: float, factor: int, power: int) -> list[float] | None:
    first, last = math.floor(_steps(low, factor, power)), math.ceil(_steps(high, factor, power))
    if last - first > MAX_BUCKETS:
        return None
    bounds = [_bound(i * factor, power) for i in range(first, last + 1)]
    if bounds[0] > low or bounds[-1] < high or any(a >= b for a, b in itertools.pairwise(bounds)):
        return None
    return bounds


def _steps(value: float, factor: int, power: int) -> float:
    return value / factor / 10.0**power if power >= 0 else value / factor * 10.0**-power


def _bound(units: int, power: int) -> float:
    """units x 10^power, the nearest float: dividing by an exact power of ten does not turn 3 x 0.1
    into 0.30000000000000004."""
    return float(units * 10**power) if power >= 0 else units / 10.0**-power


def range_facet(
    numbers: NDArray[np.float64], groups: NDArray[np.int64] | None = None
) -> RangeFacet:
    """Smallest, largest and histogram of finite numbers (n,), in any order.

    With `groups` (n,), the group of each number, a bucket counts groups that have a number in it.
    """
    if not len(numbers):
        return RangeFacet(None, None, ())
    low, high = float(numbers.min()), float(numbers.max())
    bounds = round_bounds(low, high)
    if low == high:
        count = len(numbers) if groups is None else len(np.unique(groups))
        return RangeFacet(low, high, (Bucket(low, high, count),))
    # the bucket that each number falls into; the last takes its end as well
    places = np.minimum(
        np.searchsorted(np.asarray(bounds), numbers, side="right") - 1, len(bounds) - 2
    )
    if groups is not None:
        places = np.unique(np.column_stack([places, groups]), axis=0)[:, 0]
    counts = np.bincount(places, minlength=len(bounds) - 1)
    return RangeFacet(
        low,
        high,
        tuple(Bucket(a, b, int(c)) for a, b, c in zip(bounds, bounds[1:], counts, strict=False)),
    )
