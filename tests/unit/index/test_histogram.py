"""Histograms: round bounds, few buckets, every number counted once."""

from __future__ import annotations

import random

import numpy as np
import pytest

from vitrine.index.histogram import MAX_BUCKETS, range_facet, round_bounds
from vitrine.results import Bucket, RangeFacet


def test_bounds_are_round():
    assert round_bounds(9.0, 170.0) == [float(b) for b in range(0, 180, 10)]
    assert round_bounds(0.1, 0.9)[:4] == [0.1, 0.15, 0.2, 0.25]
    assert round_bounds(-7.0, 12.0) == [float(b) for b in range(-7, 13)]


def test_bounds_grow_where_few_numbers_are_many_times_the_others():
    assert round_bounds(0.9, 25.0) == [
        0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0,
    ]  # fmt: skip
    assert round_bounds(56.0, 73_700.0)[:5] == [50.0, 70.0, 100.0, 150.0, 200.0]
    assert round_bounds(1.0, 3e6)[:5] == [1.0, 2.0, 5.0, 10.0, 20.0]
    assert round_bounds(1e-9, 1e9) == [float(f"1e{power}") for power in range(-9, 10)]
    assert len(round_bounds(0.0, 73_700.0)) > 10  # nothing grows from zero


def test_prices_as_shops_have_them_are_spread_over_the_buckets():
    rng = np.random.default_rng(1)
    prices = np.exp(rng.normal(7.5, 1.1, 2400)).clip(50, 73_700)
    facet = range_facet(prices)
    assert max(bucket.count for bucket in facet.buckets) < 600
    assert len(facet.buckets) >= 10


@pytest.mark.parametrize("seed", range(50))
def test_positive_numbers_of_any_size_fall_into_one_bucket_each(seed: int):
    rng = random.Random(seed)
    numbers = np.asarray([10.0 ** rng.uniform(-150, 150) for _ in range(rng.randint(1, 20))])
    facet = range_facet(numbers)
    assert 1 <= len(facet.buckets) <= MAX_BUCKETS
    assert sum(b.count for b in facet.buckets) == len(numbers)
    assert facet.buckets[0].start <= numbers.min() <= numbers.max() <= facet.buckets[-1].end


@pytest.mark.parametrize("seed", range(200))
def test_every_number_falls_into_one_bucket(seed: int):
    rng = random.Random(seed)
    scale = 10.0 ** rng.randint(-300, 300)
    numbers = np.asarray(
        [rng.choice((1, -1)) * rng.random() * scale for _ in range(rng.randint(1, 50))]
    )
    facet = range_facet(numbers)
    assert (facet.minimum, facet.maximum) == (numbers.min(), numbers.max())
    assert 1 <= len(facet.buckets) <= MAX_BUCKETS
    assert sum(b.count for b in facet.buckets) == len(numbers)
    for i, bucket in enumerate(facet.buckets):
        last = i == len(facet.buckets) - 1
        assert bucket.count == sum(
            bucket.start <= n and (n < bucket.end or (last and n == bucket.end)) for n in numbers
        )


@pytest.mark.parametrize("value", [0.0, 5.0, -1e300, 1e-320])
def test_equal_numbers_make_one_bucket(value: float):
    assert range_facet(np.full(3, value)) == RangeFacet(value, value, (Bucket(value, value, 3),))


def test_no_numbers_make_no_bucket():
    assert range_facet(np.zeros(0)) == RangeFacet(None, None, ())


def test_the_widest_range_there_is_still_has_bounds():
    assert range_facet(np.asarray([-1.7e308, 1.7e308])).buckets[-1].end == 1.7e308
    assert (
        sum(b.count for b in range_facet(np.asarray([1e15, 1e15 + 0.125, 1e15 + 1])).buckets) == 3
    )
