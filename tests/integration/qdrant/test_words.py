"""The words that Qdrant keeps of a product are in step with every write, whoever writes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.contract.backends import BACKENDS
from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record
from tests.integration.qdrant.backends import QDRANT
from vitrine.index import IndexVersions
from vitrine.index.qdrant.index import QdrantIndex
from vitrine.index.qdrant.payload import KEYS
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.wire import WORDS
from vitrine.products import Product
from vitrine.words import Analyzer, document_words

ANALYZER = Analyzer("en")


@pytest.fixture(params=QDRANT)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[QdrantIndex]:
    versions = BACKENDS[request.param](tmp_path)
    yield new_version(versions)
    versions.close()


def new_version(versions: IndexVersions) -> QdrantIndex:
    index = versions.create(
        model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    assert isinstance(index, QdrantIndex)
    return index


def assert_words_are_of(index: QdrantIndex, products: dict[str, Product]) -> None:
    stored = points_of(index).get(products, payload=[KEYS], vectors=(WORDS,))
    assert stored.keys() == products.keys()
    for product_id, product in products.items():
        expected = document_words(product, SCHEMA, ANALYZER)
        words, keys = stored[product_id].words, stored[product_id].payload[KEYS]
        assert words is not None, product
        values = dict(zip(words.indices.tolist(), words.values.tolist(), strict=True))
        assert values == dict(
            zip(expected.term_ids.tolist(), expected.values.tolist(), strict=True)
        ), product
        assert tuple(keys) == expected.exact_keys, product


def points_of(index: QdrantIndex) -> Points:
    return index._points


def products_of(index: QdrantIndex) -> dict[str, Product]:
    return {r.product.id: r.product for records in index.scan() for r in records}


@pytest.mark.parametrize("seed", range(2))
def test_words_follow_upserts_patches_and_deletes(index: QdrantIndex, seed: int):
    rng = random.Random(seed)
    index.upsert(make_catalogue(60, seed))
    for _ in range(6):
        ids = rng.sample(sorted(products_of(index)), 4)
        index.upsert([make_record(ids[0], rng)])
        index.patch(ids[1], {"title": rng.choice(("Red Jacket", "linen", "???")), "color": None})
        index.patch_products([make_record(i, rng).product for i in ids[1:3]])
        index.delete(ids[3:])
        assert_words_are_of(index, products_of(index))


def test_a_product_without_any_word_has_none(index: QdrantIndex):
    record = make_record("...", random.Random(1))
    index.upsert([record])
    bare = Product(id="...", title="!")
    index.patch_products([bare])
    assert len(document_words(bare, SCHEMA, ANALYZER).term_ids) == 0
    assert_words_are_of(index, {"...": bare})


def test_writers_that_cross_leave_the_words_of_the_product_that_stays(
    index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
):
    """Another process patches, rewrites or deletes a product between its reading and its
    writing."""
    index.upsert(make_catalogue(20, 3))
    rng = random.Random(3)
    points = points_of(index)
    crossing: list[Callable[[], object]] = [
        lambda: index.patch("p3", {"title": "Green Lantern"}),
        lambda: index.upsert([make_record("p3", rng)]),
    ]
    change = points.change

    def crossed(operations):
        if crossing:
            crossing.pop()()
        change(operations)

    monkeypatch.setattr(points, "change", crossed)
    index.patch_products([make_record(i, rng).product for i in ("p2", "p3", "p4")])
    assert not crossing
    assert_words_are_of(index, products_of(index))

    crossing.append(lambda: index.delete(["p5"]))
    index.patch_products([make_record(i, rng).product for i in ("p4", "p5", "p6")])
    products = products_of(index)
    assert "p5" not in products
    assert_words_are_of(index, products)


def test_values_survive_the_wire_bit_by_bit(index: QdrantIndex):
    record = make_record("p1", random.Random(7))
    index.upsert([record])
    stored = points_of(index).get(["p1"], vectors=(WORDS,))["p1"].words
    assert stored is not None
    expected = document_words(record.product, SCHEMA, ANALYZER)
    order = np.argsort(stored.indices)
    assert np.array_equal(stored.indices[order], expected.term_ids)
    assert np.array_equal(stored.values[order], expected.values)
