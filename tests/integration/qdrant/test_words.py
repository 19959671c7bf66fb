"""The words that Qdrant keeps of a product are in step with every write, whoever writes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record
from tests.contract.test_fusion import constants_of, model_of, vocabulary_of
from tests.integration.qdrant.backends import QDRANT
from vitrine.errors import Conflict, InvalidQuery
from vitrine.index import IndexQuery
from vitrine.index.fusion import Fusion
from vitrine.index.qdrant.index import QdrantIndex
from vitrine.index.qdrant.layout import collection_arguments
from vitrine.index.qdrant.payload import KEYS
from vitrine.index.qdrant.point import WORDS
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.search_models import SearchModels, StoredModel
from vitrine.index.qdrant.versions import QdrantVersions
from vitrine.products import Product
from vitrine.queries import Sort
from vitrine.settings import Settings
from vitrine.words import Analyzer, document_words, query_words, term_id

ANALYZER = Analyzer("en")


@pytest.fixture(params=QDRANT)
def open_again(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], QdrantVersions]]:
    """Opens the same versions, each time as another process would."""
    with ExitStack() as ended:
        yield lambda: ended.enter_context(closing(QDRANT[request.param](tmp_path)))  # type: ignore


@pytest.fixture
def index(open_again: Callable[[], QdrantVersions]) -> QdrantIndex:
    return new_version(open_again())


def new_version(versions: QdrantVersions) -> QdrantIndex:
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


def test_a_version_of_an_earlier_release_keeps_no_words_and_says_so(
    open_again: Callable[[], QdrantVersions], monkeypatch: pytest.MonkeyPatch
):
    versions = open_again()
    name = older_version(versions, monkeypatch).info.name
    index = open_again().open(name)
    records = make_catalogue(30, 5)
    index.upsert(records)
    index.patch(records[0].product.id, {"title": "Blue Mug"})
    assert index.get([records[0].product.id])[records[0].product.id].product.title == "Blue Mug"
    assert not index.info.words
    assert index.search_model is None
    assert index.terms_in_use([term_id("mug")]) == frozenset()
    assert index.search(IndexQuery(vector=records[0].vector)).total == 30

    model = model_of(vocabulary_of(records), constants_of(records, random.Random(1)))
    with pytest.raises(Conflict, match="vitrine reindex"):
        versions.learn(name, model)
    words = query_words("mug", model.vocabulary, ANALYZER)
    fusion = Fusion("k", model.key, words, model.constants, "text", 0.0)
    with pytest.raises(InvalidQuery, match="keeps no words"):
        index.search(IndexQuery(vector=records[0].vector, fusion=fusion))


def older_version(versions: QdrantVersions, monkeypatch: pytest.MonkeyPatch) -> QdrantIndex:
    """A collection as it was made before words were kept."""

    def without_words(*arguments: Any) -> dict[str, Any]:
        made = collection_arguments(*arguments)
        del made["sparse_vectors_config"]
        return made

    with monkeypatch.context() as patched:
        patched.setattr(
            "vitrine.index.qdrant.version_collections.collection_arguments", without_words
        )
        index = new_version(versions)
    versions._connection.write(
        "update_collection",
        collection_name=versions._collections.collection(index.info.name),
        metadata={"words": False},
    )
    return index


def test_a_search_model_of_many_parts_is_read_whole_and_removed_with_its_version(
    open_again: Callable[[], QdrantVersions], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vitrine.index.qdrant.search_models._PART", 1000)
    versions = open_again()
    index = new_version(versions)
    records = make_catalogue(60, 6)
    first = model_of(vocabulary_of(records), constants_of(records, random.Random(1)))
    second = model_of(vocabulary_of(records), constants_of(records[:5], random.Random(1)))
    versions.learn(index.info.name, first)
    parts = stored_parts(versions)
    assert parts > 3
    assert len(first.to_bytes()) > 3000
    versions.learn(index.info.name, second)
    stored = open_again().open(index.info.name).search_model
    assert stored is not None
    assert stored.key == second.key
    assert stored.vocabulary.words == second.vocabulary.words
    assert stored_parts(versions) == -(-len(second.to_bytes()) // 1000) < parts
    versions.discard(index.info.name)
    assert stored_parts(versions) == 0


def test_a_search_model_that_is_not_whole_counts_as_none(
    open_again: Callable[[], QdrantVersions], caplog: pytest.LogCaptureFixture
):
    versions = open_again()
    index = new_version(versions)
    records = make_catalogue(60, 6)
    model = model_of(vocabulary_of(records), constants_of(records, random.Random(1)))
    versions.learn(index.info.name, model)
    name = versions._model_name(index.info.name)
    assert name is not None
    versions._models.delete(name)
    other = open_again().open(index.info.name)
    assert other.search_model is None
    assert "vitrine learn" in caplog.text
    versions.learn(index.info.name, model)
    assert other.search_model is not None


def test_what_another_process_has_learnt_is_seen_after_a_second(
    index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
):
    now, changes, looked_up = [0.0], [0], []
    monkeypatch.setattr("vitrine.index.qdrant.search_models.time.monotonic", lambda: now[0])
    stored = StoredModel(
        SearchModels(points_of(index)._connection, Settings()),
        name=lambda: looked_up.append(now[0]),
        changes=lambda: changes[0],
    )
    for moment in (0.0, 0.5, 0.9, 1.1, 1.9, 2.2):
        now[0] = moment
        assert stored.current() is None
    assert looked_up == [0.0, 1.1, 2.2]
    changes[0] += 1  # this process has learnt
    assert stored.current() is None
    assert looked_up == [0.0, 1.1, 2.2, 2.2]


def stored_parts(versions: QdrantVersions) -> int:
    return versions._models._points.count(None)


@pytest.mark.parametrize("sort", ["relevance", "title", "-title,relevance"])
def test_what_is_rewritten_or_deleted_while_a_page_is_read_is_not_shown_again(
    index: QdrantIndex, monkeypatch: pytest.MonkeyPatch, sort: str
):
    records = make_catalogue(40, 8)
    index.upsert(records)
    model = model_of(vocabulary_of(records), constants_of(records, random.Random(2)))
    words = query_words("red mug", model.vocabulary, ANALYZER)
    fusion = Fusion("k", model.key, words, model.constants, "text", -math.inf)
    query = IndexQuery(
        vector=records[0].vector, fusion=fusion, sort=Sort.parse(sort), facets=("brand",), limit=5
    )
    first = index.search(query)
    shown = [hit.product.id for hit in first.hits]
    expected = [h.product.id for h in index.search(replace(query, limit=15)).hits][5:]
    find = index._fused._pools.find

    def find_and_write(*arguments: Any) -> Any:
        found = find(*arguments)
        by_id = {r.product.id: r for r in records}
        for title in ("", "zzz"):
            index.patch_products(
                [replace(by_id[i].product, title=f"{title}red mug") for i in shown]
            )
        index.delete(expected[:1])
        return found

    monkeypatch.setattr(index._fused._pools, "find", find_and_write)
    second = index.search(replace(query, page_token=first.next_token))
    assert [hit.product.id for hit in second.hits] == expected[1:6]
