"""Bounds leave out only products that cannot be among the best, with 8-bit rows and without."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue
from tests.contract.test_fusion import ANALYZER, random_fused, vocabulary_of
from tests.contract.test_pictures import with_text
from tests.contract.test_search import check
from vitrine.filters import MATCH_ALL
from vitrine.index import IndexQuery, VectorIndex
from vitrine.index.faiss import open_versions
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.query import fused
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.word_signals import WordSignals
from vitrine.index.faiss.vectors.exact import ScoredRows
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.products import Record, Vector
from vitrine.queries import RELEVANCE
from vitrine.relevance import VectorModel
from vitrine.settings import Settings
from vitrine.words import query_words

pytestmark = pytest.mark.slow


def page_alone(query: IndexQuery, rng: random.Random) -> IndexQuery:
    """The query without all that needs more of its set than a page and a total."""
    assert query.fusion is not None
    return replace(
        query,
        fusion=replace(query.fusion, key=f"{query.fusion.key} alone", negatives=()),
        sort=RELEVANCE,
        collapse=None,
        facets=(),
        limit=rng.choice((1, 4)),
        candidates=rng.choice((10, 60, 1000)),
    )


def without_looks(query: IndexQuery) -> IndexQuery:
    """The query of a version that has learned that vectors tell nothing: most values are equal, and
    ids decide."""
    assert query.fusion is not None
    nothing = VectorModel(0.0, 0.0, 0.0, 0.0, 0.0)
    learned = query.fusion.constants
    words = replace(learned.words, vector=0.0)
    constants = replace(learned, text=nothing, image=nothing, words=words)
    key = f"{query.fusion.key} without looks"
    return replace(query, fusion=replace(query.fusion, key=key, constants=constants))


def opened(folder: Path, records: list[Record], **settings: int) -> VectorIndex:
    """A completed version of the records, as a process finds it that opens it anew."""
    versions = open_versions(Settings(data_dir=folder, **settings))
    index = versions.create(
        model="m",
        fingerprint="f" * 64,
        dimension=DIMENSION,
        schema=SCHEMA,
        mapping={},
        text_vectors=records[0].text_vector is not None,
    )
    index.upsert(records)
    versions.complete(index.info.name)
    return open_versions(Settings(data_dir=folder, **settings)).open(index.info.name)


@pytest.fixture
def bounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds and scans of 8-bit rows, however few rows there are."""
    monkeypatch.setattr(fused, "FEW", 0)
    monkeypatch.setattr(Planner, "scans", lambda _, segment, *__: segment.quantized is not None)


@pytest.mark.usefixtures("bounding")
@pytest.mark.parametrize("text_vectors", [False, True], ids=["pictures alone", "with texts"])
@pytest.mark.parametrize("quantize_from", [1, 100_000])
@pytest.mark.parametrize("seed", range(3))
def test_bounds_lose_no_product(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    quantize_from: int,
    text_vectors: bool,
):
    reached = []
    name = "bound_order_values" if quantize_from == 1 else "_within_reach"
    bounded = getattr(fused, name)
    monkeypatch.setattr(fused, name, lambda *args: reached.append(1) or bounded(*args))
    rng = random.Random(seed)
    records = make_catalogue(120, seed, images=(1, 1 + 3 * (seed % 2)))
    if text_vectors:
        records = [with_text(record, rng) for record in records]
    index = opened(tmp_path, records, quantize_from=quantize_from)
    for number in range(25):
        query = replace(random_fused(records, rng, number), candidates=rng.choice((1, 3, 10)))
        query = without_looks(query) if number % 5 == 0 else query
        check(index, records, query)
        check(index, records, page_alone(query, rng))
        check(index, records, replace(page_alone(query, rng), facets=("color", "price")))
    assert reached, "no query had more matching rows than candidates"


@pytest.mark.usefixtures("bounding")
@pytest.mark.parametrize(
    ("candidates", "facets"),
    [(60, ()), (1000, ("color", "price"))],
    ids=["a full set", "facets of all"],
)
def test_of_equal_products_no_more_than_a_page_are_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidates: int, facets: tuple[str, ...]
):
    records, scored = make_catalogue(120, 1), list[int]()
    index = opened(tmp_path, records, quantize_from=1)
    score = fused.score_products

    def counting(vectors: ProductVectors, rows: Ints, query: Vector) -> ScoredRows:
        scored.append(len(rows))
        return score(vectors, rows, query)

    monkeypatch.setattr(fused, "score_products", counting)
    rng = random.Random(1)
    for number in range(10):
        query = page_alone(without_looks(random_fused(records, rng, number)), rng)
        query = replace(query, vector=records[0].vector, filter=MATCH_ALL)
        query = replace(query, candidates=candidates, facets=facets)
        check(index, records, query)
        assert scored.pop() <= query.limit + 1
        assert not scored


@pytest.mark.usefixtures("bounding")
@pytest.mark.parametrize("full", [False, True], ids=["all close ones", "a page of a full set"])
def test_texts_and_order_values_are_only_of_products_that_texts_can_bring_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
):
    rng = random.Random(2)
    records = [with_text(record, rng) for record in make_catalogue(120, 2)]
    index = opened(tmp_path, records, quantize_from=1)
    read = list[int]()
    bounds = QuantizedVectors.bounds

    def counting(self: QuantizedVectors, products: Ints, query: Vector) -> object:
        read.append(len(products))
        return bounds(self, products, query)

    monkeypatch.setattr(QuantizedVectors, "bounds", counting)
    valued = list[int]()
    order_values = WordSignals.order_values

    def counting_values(self: WordSignals, *args: Any) -> object:
        valued.append(len(self.words))
        return order_values(self, *args)

    monkeypatch.setattr(WordSignals, "order_values", counting_values)
    query = replace(page_alone(random_fused(records, rng, 0), rng), filter=MATCH_ALL)
    query = replace(query, vector=records[0].vector, exclude=frozenset(), limit=1)
    assert query.fusion is not None
    model = VectorModel(20.0, 0.0, 1.0, 0.0, -10.0)
    constants = replace(query.fusion.constants, text=model)
    words = query_words("zqxwv", vocabulary_of(records), ANALYZER)
    fusion = replace(query.fusion, constants=constants, words=words, kind="text", vague=False)
    fusion = replace(fusion, least=-math.inf if full else 0.0)
    query = replace(query, fusion=fusion, candidates=10 if full else 1000)
    check(index, records, query)
    values = 20 * np.array([max(record.vectors @ records[0].vector) for record in records]) - 10
    least = np.sort(values)[-2] - 1 if full else 0.0
    reachable = np.count_nonzero(values + 1 >= least)
    assert 0 < reachable < 60
    pictures, texts = read
    assert pictures == len(records)
    assert reachable <= texts <= reachable + 5
    assert max(valued) <= (len(records) if full else reachable + 5)
