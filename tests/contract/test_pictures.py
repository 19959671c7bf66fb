"""Products with several pictures: the best picture counts, and answers name it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record, unit
from tests.contract.conftest import MAPPING
from tests.contract.questions import random_query, separated
from tests.contract.test_fusion import random_fused
from tests.contract.test_search import check, check_fifty_queries
from tests.contract.test_walks import walk
from tests.support.noted import noted
from vitrine.errors import InvalidProduct
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.product_json import product_hash
from vitrine.products import Product, Record

SIZE = 110
NUMBERS = pytest.mark.parametrize("images", [(2, 2), (8, 8), (1, 8)], ids=["two", "eight", "mixed"])


@NUMBERS
@pytest.mark.parametrize("seed", range(4))
def test_random_queries_equal_the_oracle(index: VectorIndex, images: tuple[int, int], seed: int):
    check_fifty_queries(index, make_catalogue(SIZE, seed, images=images), seed)


@NUMBERS
def test_random_walks_equal_the_oracle(index: VectorIndex, images: tuple[int, int]):
    seed = 32
    rng = random.Random(seed)
    records = make_catalogue(SIZE, seed, images=images)
    index.upsert(records)
    for number in range(20):
        # facets are compared above; counting them page by page takes local mode a minute
        query = replace(random_query(rng, records), limit=rng.choice((7, 24)), facets=())
        expected = [r.product.id for r, _ in oracle.candidate_set(records, query)]
        shown = [h.product.id for h in walk(index, query)]
        assert shown == expected, f"seed {seed}, query {number}: {query}"


def test_queries_equal_the_oracle_while_pictures_come_and_go(index: VectorIndex):
    seed = 33
    rng = random.Random(seed)
    records = {r.product.id: r for r in make_catalogue(SIZE, seed, images=(1, 8))}
    index.upsert(list(records.values()))
    for round_number in range(25):
        index.delete([product_id := rng.choice(sorted(records))])
        del records[product_id]
        fresh = [make_record(f"p{rng.randint(0, SIZE)}", rng, images=(1, 8)) for _ in range(3)]
        index.upsert(fresh)
        records |= {r.product.id: r for r in fresh}
        query = random_query(rng, list(records.values()))
        with noted(seed=seed, round=round_number, case=query):
            check(index, list(records.values()), query)


@pytest.mark.parametrize("seed", range(3))
def test_words_and_pictures_together_equal_the_oracle(index: VectorIndex, seed: int):
    rng = random.Random(seed)
    records = make_catalogue(SIZE, rng.getrandbits(32), images=(1, 8))
    index.upsert(records)
    for number in range(25):
        query = random_fused(records, rng, number)
        with noted(seed=seed, query=number, case=query):
            check(index, records, query)


def create_with_texts(versions: IndexVersions) -> VectorIndex:
    return versions.create(
        model="org/some-model",
        fingerprint="f" * 64,
        dimension=DIMENSION,
        schema=SCHEMA,
        mapping=MAPPING,
        text_vectors=True,
    )


def with_text(record: Record, rng: random.Random) -> Record:
    """The record with a text vector not far from its first picture."""
    noise = np.asarray([rng.gauss(0, 0.15) for _ in range(DIMENSION)])
    return replace(record, text_vector=unit(record.vectors[0] + noise))


@pytest.mark.parametrize("seed", range(4))
def test_words_pictures_and_text_vectors_together_equal_the_oracle(
    versions: IndexVersions, seed: int
):
    rng = random.Random(seed)
    index = create_with_texts(versions)
    made = make_catalogue(SIZE, rng.getrandbits(32), images=(1, 1 + 4 * (seed % 2)))
    records = [with_text(record, rng) for record in made]
    for start in range(0, SIZE, 37):
        index.upsert(records[start : start + 37])
    for number in range(25):
        query = random_fused(records, rng, number)
        with noted(seed=seed, query=number, case=query):
            check(index, records, query)


def views(product_id: str, *axes: int) -> Record:
    """A product with a picture along each of these axes."""
    vectors = np.stack([np.eye(DIMENSION, dtype=np.float32)[axis] for axis in axes])
    return Record(Product(id=product_id, title="x"), vectors, tuple(f"key {axis}" for axis in axes))


def toward(axis: int) -> IndexQuery:
    return IndexQuery(vector=np.eye(DIMENSION, dtype=np.float32)[axis])


def test_a_product_is_found_by_any_of_its_pictures_and_once(index: VectorIndex):
    index.upsert([views("bag", 0, 1, 2), views("cup", 3)])
    for axis in (0, 1, 2):
        answer = index.search(toward(axis))
        assert [(h.product.id, h.score, h.matched_image) for h in answer.hits] == [
            ("bag", 1.0, axis),
            ("cup", 0.0, 0),
        ]
        assert answer.hits[0].image_keys == ("key 0", "key 1", "key 2")
        assert (answer.total, answer.matching) == (2, 2)


def test_of_equal_pictures_the_first_one_matched(index: VectorIndex):
    index.upsert([views("bag", 1, 0, 0)])
    assert index.search(toward(0)).hits[0].matched_image == 1


def test_pictures_can_be_added_removed_and_put_in_another_order(index: VectorIndex):
    for axes in ((0,), (0, 1), (1, 0), (1,), (2, 1, 0)):
        index.upsert([views("bag", *axes)])
        hits = {axis: index.search(toward(axis)).hits[0] for axis in (0, 1, 2)}
        assert {axis: hit.score for axis, hit in hits.items()} == {
            axis: float(axis in axes) for axis in (0, 1, 2)
        }
        assert all(hits[axis].matched_image == axes.index(axis) for axis in axes)
        assert index.stamps(["bag"])["bag"].image_keys == tuple(f"key {axis}" for axis in axes)


def test_whole_records_come_back_with_all_pictures(index: VectorIndex):
    records = {r.product.id: r for r in make_catalogue(60, 34, images=(1, 8))}
    index.upsert(list(records.values()))
    stored = {r.product.id: r for batch in index.scan(batch=7) for r in batch}
    assert stored.keys() == records.keys()
    for product_id, record in (stored | index.get(list(records))).items():
        assert record.image_keys == records[product_id].image_keys
        np.testing.assert_allclose(record.vectors, records[product_id].vectors, atol=1e-6)


def test_changed_fields_keep_all_pictures(index: VectorIndex):
    record = make_record("bag", random.Random(35), images=(5, 5))
    index.upsert([record])
    index.patch("bag", {"title": "new"})
    index.patch_products([changed := replace(record.product, title="newer")])
    stored = index.get(["bag"])["bag"]
    assert stored.product == changed
    assert index.stamps(["bag"])["bag"].product_hash == product_hash(changed)
    np.testing.assert_allclose(stored.vectors, record.vectors, atol=1e-6)
    assert index.search(IndexQuery(vector=record.vectors[3])).hits[0].matched_image == 3


def test_a_version_with_text_vectors_keeps_one_of_each_product(versions: IndexVersions):
    index = create_with_texts(versions)
    assert index.info.text_vectors
    assert versions.list()[0].text_vectors
    rng = random.Random(36)
    records = make_catalogue(30, 36, images=(1, 3))
    texts = {r.product.id: unit(np.asarray(rng.choices((-1.0, 1.0), k=DIMENSION))) for r in records}
    index.upsert([replace(r, text_vector=texts[r.product.id]) for r in records])
    index.patch_products([r.product for r in records[:10]])
    for product_id, record in index.get(list(texts)).items():
        assert record.text_vector is not None
        np.testing.assert_allclose(record.text_vector, texts[product_id], atol=1e-6)
    check(index, records, IndexQuery(vector=separated(rng, records), facets=("color",)))
    with pytest.raises(InvalidProduct, match="text_vector"):
        index.upsert([records[0]])
