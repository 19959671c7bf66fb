"""Products that come and go between the searches of one answer."""

from __future__ import annotations

import numpy as np

from vitrine.index.qdrant.point import VECTOR, WORDS, Point, SparseRow
from vitrine.index.qdrant.signals import Channel, SignalTable
from vitrine.relevance import (
    BackgroundSample,
    QueryRelevance,
    RelevanceConstants,
    VectorModel,
    WordsModel,
)

QUERY = np.array([1, 0], np.float32)
PICTURES = Channel(VECTOR, QUERY)
TERMS = Channel(WORDS, SparseRow(np.array([7], np.uint32), np.ones(1, np.float32)), scale=2.0)
MODEL = VectorModel(8.0, 0.0, 0.0, 0.0, -4.0)
RELEVANCE = QueryRelevance(
    RelevanceConstants(
        MODEL,
        MODEL,
        WordsModel(6.0, 0.3, -2.0, 0.3, 0.5),
        BackgroundSample(np.eye(2, dtype=np.float16), None),
        products=2,
    ),
    vector=QUERY,
    best_words=1.0,
)


def point(point_id: str, score: float) -> Point:
    return Point(point_id, {}, score)


def test_what_one_search_does_not_name_is_asked_of_it_by_id():
    table = SignalTable([PICTURES, TERMS], {"named"})
    table.add(PICTURES, [point("a", 0.9), point("b", 0.8)])
    table.add(TERMS, [point("b", 1.0), point("c", 2.0)])
    assert set(table.missing(PICTURES)) == {"c", "named"}
    assert set(table.missing(TERMS)) == {"a", "named"}


def test_a_product_without_any_of_the_words_has_no_score_of_them():
    table = SignalTable([PICTURES, TERMS])
    table.add(PICTURES, [point("a", 0.5)])
    table.mark_absent(TERMS, ["a"])
    (value,) = table.values(RELEVANCE).middle
    assert value == RELEVANCE.vector_log_odds(0.5)


def test_a_product_that_is_gone_in_one_of_the_searches_takes_no_part():
    """Whatever comes first: what the one search still finds, or that the other one does not."""
    for first, second in ((PICTURES, TERMS), (TERMS, PICTURES)):
        table = SignalTable([PICTURES, TERMS], {"gone"})
        table.add(PICTURES, [point("a", 0.9)])
        table.add(TERMS, [point("a", 1.0)])
        for channel in (first, second):
            if channel is TERMS:
                table.add(TERMS, [point("gone", 2.0)])
            table.mark_absent(channel, ["gone"])
        assert table.values(RELEVANCE).ids == ["a"]


def test_ranges_hold_the_exact_value():
    rng = np.random.default_rng(1)
    values, weights = rng.random(40).astype(np.float32), rng.random(40).astype(np.float32)
    terms = Channel(WORDS, SparseRow(np.arange(40, dtype=np.uint32), weights))
    exact = float(values.astype(np.float64) @ weights.astype(np.float64))
    for order in (np.arange(40), rng.permutation(40)):
        total = np.float32(0)
        for value, weight in zip(values[order], weights[order], strict=True):
            total += value * weight
        low, high = terms.bounds(np.array([float(total)]))
        assert low[0] <= exact <= high[0]
