"""Writing and reading records."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record, unit
from vitrine.errors import InvalidProduct, ModelMismatch, NotFound
from vitrine.filters import Condition
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.product_json import product_hash
from vitrine.products import Product, Record

AWKWARD = [
    Product(id="nul\x00inside", title="a\x00b", description="tab\tline\nNUL\x00"),
    Product(id="long", title="😀" * 5000, brand="Ünï\u202ecode"),
    Product(
        id=" spaced ", title="'; DROP TABLE products; --", color=("", "  "), category=("a/b/c",)
    ),
    Product(
        id="../../etc",
        title="%_*?[]",
        attributes={
            "added": datetime(1, 1, 1, tzinfo=UTC),
            "rating": -1e300,
            "pattern": ("x", "x"),
        },
    ),
    Product(
        id="é",
        title="e\u0301",
        price=0.1 + 0.2,
        in_stock=False,
        attributes={"rating": 5e-324, "organic": False},
    ),
    Product(
        id="𝒳" * 100,
        title="x",
        price=-0.0,
        attributes={"added": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)},
    ),
]


def record(product: Product, seed: int = 0) -> Record:
    return Record.of_picture(
        product, unit(np.random.default_rng(seed).standard_normal(DIMENSION)), f"{seed:064x}"
    )


def same(stored: Record, expected: Record) -> bool:
    return (
        stored.product == expected.product
        and stored.image_key == expected.image_key
        and np.allclose(stored.vector, expected.vector, atol=1e-6)
    )


def test_records_return_as_they_were_written(index: VectorIndex):
    written = {
        r.product.id: r
        for r in [*make_catalogue(40, 1), *(record(p, i) for i, p in enumerate(AWKWARD))]
    }
    index.upsert(list(written.values()))
    stored = index.get([*written, "unknown"])
    assert stored.keys() == written.keys()
    wrong = [i for i, r in stored.items() if not same(r, written[i])]
    assert not wrong
    hits = {h.product.id: h.product for h in index.search(IndexQuery(limit=200)).hits}
    assert hits == {i: r.product for i, r in written.items()}


@pytest.mark.parametrize("product", AWKWARD, ids=range(len(AWKWARD)))
def test_awkward_products_are_found_by_their_id(index: VectorIndex, product: Product):
    index.upsert([record(p, i) for i, p in enumerate(AWKWARD)])
    if "\x00" not in product.id:
        hits = index.search(
            IndexQuery(filter=Condition(SCHEMA.get("id"), "in", (product.id,)))
        ).hits
        assert [h.product for h in hits] == [product]
    assert index.delete([product.id]) == 1
    assert index.count() == len(AWKWARD) - 1


def test_stamps_tell_picture_and_fields_without_the_record(index: VectorIndex):
    records = make_catalogue(20, 2)
    index.upsert(records)
    stamps = index.stamps([*(r.product.id for r in records[:10]), "unknown"])
    assert {i: (s.image_keys, s.product_hash) for i, s in stamps.items()} == {
        r.product.id: (r.image_keys, product_hash(r.product)) for r in records[:10]
    }


def test_the_last_of_equal_ids_in_one_call_wins(index: VectorIndex):
    index.upsert(
        [record(Product(id="1", title="first"), 1), record(Product(id="1", title="last"), 2)]
    )
    assert index.count() == 1
    assert index.get(["1"])["1"].product.title == "last"
    assert [h.product.title for h in index.search(IndexQuery()).hits] == ["last"]


def test_an_upsert_replaces_the_whole_record(index: VectorIndex):
    index.upsert([record(Product(id="1", title="red mug", brand="Acme"), 1)])
    index.upsert([record(Product(id="1", title="blue mug"), 2)])
    assert index.count() == 1
    assert same(index.get(["1"])["1"], record(Product(id="1", title="blue mug"), 2))
    assert index.count(Condition(SCHEMA.get("brand"), "in", ("Acme",))) == 0
    assert index.count(Condition(SCHEMA.get("title"), "match", ("blue",))) == 1


def test_writing_nothing_is_allowed(index: VectorIndex):
    index.upsert([])
    index.patch_products([])
    assert index.delete([]) == 0
    assert (index.get([]), index.stamps([])) == ({}, {})


def test_many_records_are_written_read_and_deleted_in_one_call(index: VectorIndex):
    rng = random.Random(3)
    records = [make_record(f"{i}", rng) for i in range(1100)]
    index.upsert(records)
    ids = [r.product.id for r in records]
    assert len(index.get(ids)) == len(index.stamps(ids)) == index.count() == 1100
    assert index.delete([*ids[:1050], "unknown"]) == 1050
    assert index.count() == index.search(IndexQuery()).total == 50


def test_deleting_is_counted_and_final(index: VectorIndex):
    index.upsert(make_catalogue(10, 4))
    assert index.delete(["p0", "p1", "p0", "unknown"]) == 2
    assert index.delete(["p0"]) == 0
    assert index.get(["p0"]) == index.stamps(["p0"]) == {}
    assert "p0" not in {h.product.id for h in index.search(IndexQuery()).hits}


def test_a_deleted_product_can_come_back(index: VectorIndex):
    again = record(Product(id="1", title="again"), 5)
    index.upsert([record(Product(id="1", title="once"), 4)])
    index.delete(["1"])
    index.upsert([again])
    assert same(index.get(["1"])["1"], again)
    assert index.count() == index.search(IndexQuery()).total == 1


def test_a_patch_changes_fields_and_keeps_vector_picture_and_other_fields(index: VectorIndex):
    before = record(
        Product(
            id="1",
            title="mug",
            price=3.0,
            brand="Acme",
            attributes={"rating": 4.0, "organic": True},
        ),
        6,
    )
    index.upsert([before])
    index.patch(
        "1",
        {"price": 2.5, "brand": None, "color": ("Navy",), "pattern": ("dotted",), "organic": None},
    )
    after = index.get(["1"])["1"]
    assert after.product == Product(
        id="1",
        title="mug",
        price=2.5,
        color=("Navy",),
        colors=("blue",),
        attributes={"rating": 4.0, "pattern": ("dotted",)},
    )
    assert (after.image_key, after.vector.tolist()) == (
        before.image_key,
        pytest.approx(before.vector.tolist(), abs=1e-6),
    )
    assert index.stamps(["1"])["1"].product_hash == product_hash(after.product)
    assert index.count(Condition(SCHEMA.get("color"), "in", ("blue",))) == 1
    hits = index.search(IndexQuery(vector=before.vector)).hits
    assert [(h.product, h.score) for h in hits] == [(after.product, pytest.approx(1, abs=1e-5))]


def test_patching_an_unknown_product_is_not_found(index: VectorIndex):
    with pytest.raises(NotFound, match="unknown"):
        index.patch("unknown", {"price": 1.0})


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "L"},
        {"id": "2"},
        {"title": None},
        {"title": ""},
        {"price": "cheap"},
        {"in_stock": 1.0},
    ],
)
def test_a_patch_that_does_not_fit_is_refused_and_changes_nothing(
    index: VectorIndex, changes: dict[str, object]
):
    index.upsert([record(Product(id="1", title="mug", price=3.0))])
    with pytest.raises(InvalidProduct):
        index.patch("1", changes)
    assert index.get(["1"])["1"].product == Product(id="1", title="mug", price=3.0)


def test_whole_products_are_replaced_without_their_vectors(index: VectorIndex):
    records = [record(Product(id=str(i), title="old", brand="Acme"), i) for i in range(5)]
    index.upsert(records)
    index.patch_products([Product(id="1", title="new"), Product(id="3", title="newer", price=1.0)])
    stored = index.get(["1", "3", "4"])
    assert same(
        stored["1"],
        Record.of_picture(Product(id="1", title="new"), records[1].vector, records[1].image_key),
    )
    assert stored["3"].product.title == "newer"
    assert same(stored["4"], records[4])


def test_replacing_products_writes_nothing_when_one_is_unknown(index: VectorIndex):
    index.upsert([record(Product(id="1", title="old"))])
    with pytest.raises(NotFound, match="2"):
        index.patch_products([Product(id="1", title="new"), Product(id="2", title="new")])
    assert index.get(["1"])["1"].product.title == "old"


PRODUCT = Product(id="2", title="x")
VECTORS = np.repeat(unit(np.ones(DIMENSION))[None], 2, axis=0)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (
            Record.of_picture(Product(id="2", title="x"), unit(np.ones(DIMENSION - 1)), "k"),
            ModelMismatch,
        ),
        (
            Record.of_picture(
                Product(id="2", title="x"), np.full(DIMENSION, np.nan, np.float32), "k"
            ),
            InvalidProduct,
        ),
        (
            Record.of_picture(Product(id="2", title="x"), np.zeros(DIMENSION, np.float32), "k"),
            InvalidProduct,
        ),
        (Record(PRODUCT, np.zeros((0, DIMENSION), np.float32), ()), InvalidProduct),
        (Record(PRODUCT, VECTORS, ("k",)), InvalidProduct),
        (Record(PRODUCT, np.repeat(VECTORS, 33, axis=0), ("k",) * 66), InvalidProduct),
        (Record(PRODUCT, VECTORS[:1], ("k",), VECTORS[1]), InvalidProduct),
        (record(Product(id="", title="x")), InvalidProduct),
        (record(Product(id="2", title="lone \ud800 surrogate")), InvalidProduct),
        (record(Product(id="2", title="x", price=float("inf"))), InvalidProduct),
        (record(Product(id="2", title="x", attributes={"rating": "good"})), InvalidProduct),
        (record(Product(id="2", title="x", attributes={"size": "L"})), InvalidProduct),
        (
            record(Product(id="2", title="x", attributes={"added": datetime(2026, 1, 1)})),
            InvalidProduct,
        ),
    ],
)
def test_a_record_that_cannot_be_kept_is_refused_with_all_of_its_call(
    index: VectorIndex, bad: Record, error: type[Exception]
):
    with pytest.raises(error):
        index.upsert([record(Product(id="1", title="fine")), bad])
    assert index.count() == 0


def test_a_scan_goes_through_all_records_in_an_order_that_stays(index: VectorIndex):
    records = {r.product.id: r for r in make_catalogue(50, 8)}
    index.upsert(list(records.values()))
    batches = list(index.scan(batch=7))
    assert [len(b) for b in batches] == [7] * 7 + [1]
    stored = [r for b in batches for r in b]
    order = [r.product.id for r in stored]
    assert sorted(order) == sorted(records)
    assert all(same(r, records[r.product.id]) for r in stored)
    assert [i for ids in index.scan_ids(batch=7) for i in ids] == order
    index.delete([order[20]])  # a bound need not be there any more
    assert [r.product.id for b in index.scan(after=order[20]) for r in b] == order[21:]
    assert [i for ids in index.scan_ids(after=order[20], batch=4) for i in ids] == order[21:]
    between = index.scan(after=order[9], upto=order[30], batch=5)
    assert [r.product.id for b in between for r in b] == order[10:20] + order[21:31]
    assert list(index.scan(after=order[-1])) == []


def test_a_scan_survives_writes_between_its_batches(index: VectorIndex):
    index.upsert(make_catalogue(30, 9))
    seen = []
    for batch in index.scan(batch=4):
        seen += [r.product.id for r in batch]
        index.delete([seen[0]])
        index.patch_products([Product(id=seen[-1], title="changed")])
    assert sorted(seen) == sorted({r.product.id for r in make_catalogue(30, 9)})


def test_a_write_is_seen_by_whoever_has_the_version_open(
    open_again: Callable[[], IndexVersions], index: VectorIndex
):
    other = open_again().open(index.info.name)
    assert other.search(IndexQuery()).total == 0
    for step in range(1, 6):
        index.upsert([record(Product(id=str(step), title="x"), step)])
        assert other.search(IndexQuery()).total == other.count() == step
    other.delete(["1"])
    assert index.search(IndexQuery()).total == 4


def test_products_written_after_a_mark_are_counted_once(index: VectorIndex):
    rng = random.Random(4)
    records = make_catalogue(30, 4)
    index.upsert(records)
    mark = index.mark()
    assert index.count_written(mark) == 0
    index.upsert([make_record(records[n].product.id, rng) for n in (1, 2, 3)])
    index.upsert([make_record(records[n].product.id, rng) for n in (3, 4)])
    index.patch(records[5].product.id, {"price": 1.0})
    index.delete([records[1].product.id, records[6].product.id])
    assert index.count_written(mark) == 4
    assert index.count_written(index.mark()) == 0
