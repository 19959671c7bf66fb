"""Answers equal those of an oracle that compares every product, whatever is asked."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.contract import oracle
from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue, make_record, unit
from tests.contract.questions import random_query, separated
from tests.support.noted import noted
from vitrine.errors import InvalidFilter, InvalidQuery, ModelMismatch
from vitrine.fields.schema import Field, FieldType
from vitrine.filters import All, Condition
from vitrine.index import IndexQuery, VectorIndex
from vitrine.products import Product, Record
from vitrine.queries import Sort
from vitrine.results import RangeFacet, ValueFacet

SIZE = 110


def check(index: VectorIndex, records: list[Record], query: IndexQuery) -> None:
    """The first page, the totals and the facets are the oracle's."""
    answer = index.search(query)
    expected = oracle.candidate_set(records, query)
    assert [h.product.id for h in answer.hits] == [r.product.id for r, _ in expected[: query.limit]]
    by_id = {r.product.id: (r, s) for r, s in expected}
    # under a collapse facets count groups: those that have such a variant
    variants = [r for r, _ in oracle.candidate_set(records, replace(query, collapse=None))]
    for hit in answer.hits:
        record, rated = by_id[hit.product.id]
        assert hit.product == record.product
        assert hit.image_keys == record.image_keys
        if query.vector is None:
            assert hit.matched_image is None
        else:
            assert hit.matched_image == oracle.matched_image(record, query.vector)
        assert hit.score == (None if rated is None else pytest.approx(rated, abs=1e-5))
        assert hit.group == oracle.group(variants, query, record)
    assert answer.total == len(expected)
    assert answer.matching == len(oracle.matching(records, query.filter))
    assert (answer.next_token is None) == (len(expected) <= query.limit)
    for name in query.facets:
        check_facet(answer.facets[name], oracle.grouped(variants, query.collapse), name)


def check_facet(
    facet: ValueFacet | RangeFacet, groups: list[list[Record]], name: str, values: int = 50
) -> None:
    kind = SCHEMA.get(name).type
    if kind.numeric:
        numbers = [[v for r in g if (v := r.product.value(name)) is not None] for g in groups]
        every = [number for group in numbers for number in group]
        assert (facet.minimum, facet.maximum) == (
            (min(every), max(every)) if every else (None, None)
        )
        for i, bucket in enumerate(facet.buckets):
            last = i == len(facet.buckets) - 1
            assert bucket.count == sum(
                any(bucket.start <= n and (n < bucket.end or (last and n == bucket.end)) for n in g)
                for g in numbers
            )
            assert last or bucket.end == facet.buckets[i + 1].start
        return
    counts = oracle.facet_counts(groups, name, kind)
    assert [(v.value, v.count) for v in facet.values] == oracle.listed(counts, kind, values)
    assert facet.distinct == len(counts)


def check_fifty_queries(index: VectorIndex, records: list[Record], seed: int) -> None:
    """Write the records in a few steps, then compare random queries with the oracle."""
    rng = random.Random(seed)
    for start in range(0, len(records), 37):
        index.upsert(records[start : start + 37])
    for number in range(50):
        query = random_query(rng, records)
        with noted(seed=seed, query=number, case=query):
            check(index, records, query)


@pytest.mark.parametrize("seed", range(10))
def test_fifty_random_queries_equal_the_oracle(index: VectorIndex, seed: int):
    check_fifty_queries(index, make_catalogue(SIZE, seed), seed)


def test_queries_equal_the_oracle_while_products_come_change_and_go(index: VectorIndex):
    seed = 77
    rng = random.Random(seed)
    records = {r.product.id: r for r in make_catalogue(SIZE, seed)}
    index.upsert(list(records.values()))
    for round_number in range(25):
        for product_id in rng.sample(sorted(records), 3):
            del records[product_id]
            assert index.delete([product_id]) == 1
        fresh = [make_record(f"p{rng.randint(0, SIZE)}", rng) for _ in range(3)]
        index.upsert(fresh)
        records |= {r.product.id: r for r in fresh}
        query = random_query(rng, list(records.values()))
        with noted(seed=seed, round=round_number, case=query):
            check(index, list(records.values()), query)


def test_an_empty_index_answers_with_nothing(index: VectorIndex):
    for query in (IndexQuery(), IndexQuery(vector=unit(np.ones(DIMENSION)))):
        answer = index.search(query)
        assert (answer.hits, answer.total, answer.matching, answer.next_token) == ((), 0, 0, None)
    facets = index.search(IndexQuery(facets=("color", "price", "in_stock"))).facets
    assert facets == {
        "color": ValueFacet((), 0),
        "price": RangeFacet(None, None, ()),
        "in_stock": ValueFacet((), 0),
    }


def test_equal_scores_order_by_code_point_of_the_id(index: VectorIndex):
    vector = unit(np.ones(DIMENSION))
    ids = ["b", "a", "B", "é", "😀", "ﬀ", "10", "9"]
    index.upsert([Record.of_picture(Product(id=i, title="same"), vector, "k") for i in ids])
    for query in (
        IndexQuery(vector=vector),
        IndexQuery(),
        IndexQuery(sort=Sort("title")),
        IndexQuery(sort=Sort("title", True)),
    ):
        assert [h.product.id for h in index.search(query).hits] == sorted(ids)


def test_asking_for_more_candidates_than_match_gives_all_that_match(index: VectorIndex):
    records = make_catalogue(120, 3)
    index.upsert(records)
    brand = SCHEMA.get("brand")
    only = Condition(brand, "in", ("Acme",))
    answer = index.search(
        IndexQuery(vector=separated(random.Random(3), records), filter=only, limit=120)
    )
    assert {h.product.id for h in answer.hits} == {
        r.product.id for r in records if r.product.brand in ("Acme", "acme")
    }


def test_facets_list_the_most_frequent_values_and_count_the_others(index: VectorIndex):
    records = make_catalogue(120, 4)
    index.upsert(records)
    facet = index.search(IndexQuery(facets=("brand",), facet_values=2)).facets["brand"]
    expected = sorted(
        oracle.facet_counts([[r] for r in records], "brand", FieldType.KEYWORD).items(),
        key=lambda pair: (-pair[1], pair[0]),
    )
    assert [(v.value, v.count) for v in facet.values] == expected[:2]
    assert facet.distinct == len(expected)


def test_facet_and_count_agree_with_search(index: VectorIndex):
    records = make_catalogue(120, 5)
    index.upsert(records)
    tree = Condition(SCHEMA.get("in_stock"), "in", (True,))
    answer = index.search(IndexQuery(filter=tree, facets=SCHEMA.facets))
    assert index.facet(SCHEMA.facets, tree) == dict(answer.facets)
    assert index.count(tree) == answer.total == answer.matching
    assert index.count() == len(records)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            IndexQuery(filter=Condition(Field("size", FieldType.KEYWORD), "in", ("L",))),
            InvalidFilter,
        ),
        (
            IndexQuery(filter=All((Condition(Field("price", FieldType.KEYWORD), "in", ("L",)),))),
            InvalidFilter,
        ),
        (IndexQuery(sort=Sort("size")), InvalidQuery),
        (IndexQuery(sort=Sort("color")), InvalidQuery),
        (IndexQuery(facets=("size",)), InvalidQuery),
        (IndexQuery(facets=("title",)), InvalidQuery),
        (IndexQuery(collapse="size"), InvalidQuery),
        (IndexQuery(collapse="price"), InvalidQuery),
        (IndexQuery(limit=0), InvalidQuery),
        (IndexQuery(vector=unit(np.ones(DIMENSION + 1))), ModelMismatch),
        (IndexQuery(vector=np.zeros(DIMENSION, np.float32)), InvalidQuery),
        (IndexQuery(vector=np.full(DIMENSION, np.nan, np.float32)), InvalidQuery),
    ],
)
def test_a_query_that_does_not_fit_is_refused(
    index: VectorIndex, query: IndexQuery, error: type[Exception]
):
    index.upsert(make_catalogue(10, 1))
    with pytest.raises(error):
        index.search(query)
    assert index.search(IndexQuery()).total == 10


def test_titles_order_by_what_they_say_whatever_case_and_accents(index: VectorIndex):
    titles = ["zoo", "Äpfel", "apple", "Éclair", "banana", "élan", "Thing", "apfel", "Übergröße"]
    records = [
        Record.of_picture(Product(id=f"p{n}", title=title), unit(np.ones(DIMENSION)), "k")
        for n, title in enumerate(titles)
    ]
    index.upsert(records)
    ordered = [h.product.title for h in index.search(IndexQuery(sort=Sort("title"))).hits]
    in_order = ["Äpfel", "apfel", "apple", "banana", "Éclair", "élan", "Thing", "Übergröße", "zoo"]
    assert ordered == in_order
    down = index.search(IndexQuery(sort=Sort("title", descending=True))).hits
    assert [h.product.title for h in down] == [*in_order[:1:-1], "Äpfel", "apfel"]


@pytest.mark.parametrize("searches", [True, False], ids=["search", "browse"])
def test_paths_are_listed_level_by_level(index: VectorIndex, searches: bool):
    rng = random.Random(12)
    numbers = [(rng.randint(0, 9), rng.randint(0, 3), rng.randint(0, 2)) for _ in range(400)]
    records = [
        Record.of_picture(
            Product(id=f"p{n}", title="x", category=(f"Shop {a}/Floor {b}/Shelf {c}",)),
            unit(np.ones(DIMENSION)),
            "k",
        )
        for n, (a, b, c) in enumerate(numbers)
    ]
    index.upsert(records)
    vector = unit(np.ones(DIMENSION)) if searches else None
    for values in (1, 8, 12, 200):
        query = IndexQuery(vector=vector, facets=("category",), facet_values=values)
        facet = index.search(query).facets["category"]
        check_facet(facet, [[record] for record in records], "category", values)
        assert isinstance(facet, ValueFacet)
        shown = {str(v.value) for v in facet.values}
        assert len([path for path in shown if "/" not in path]) == min(values, 10)
        assert {path.rpartition("/")[0] for path in shown} - {""} <= shown


def test_a_facet_under_collapse_counts_what_a_click_on_it_shows(index: VectorIndex):
    rng = random.Random(13)
    records = make_catalogue(200, 13)
    index.upsert(records)
    names = ("color", "brand", "pattern", "category")
    for vector in (None, separated(rng, records)):
        query = IndexQuery(vector=vector, collapse="group_id", facets=names)
        for name, facet in index.search(query).facets.items():
            assert isinstance(facet, ValueFacet)
            for value in facet.values:
                click = Condition(SCHEMA.require(name, wrong=InvalidQuery), "in", (value.value,))
                assert index.search(replace(query, filter=click)).total == value.count, value


def test_spellings_that_filters_hold_for_equal_are_one_value_of_a_facet(index: VectorIndex):
    vector = unit(np.ones(DIMENSION))
    products = [
        Product(id="1", title="x", brand="CHLOÉ", category=("WOMEN/Bags", "Women/Bags")),
        Product(id="2", title="x", brand="Chloé", category=("Women",), group_id="g"),
        Product(id="3", title="x", brand="chloe", category=("women/bags",), group_id="g"),
        Product(id="4", title="x", brand="Chloé", category=("Women/Shoes",)),
        Product(id="5", title="x", brand="Acme", category=("Men",)),
    ]
    for product in products:  # each a write of its own
        index.upsert([Record.of_picture(product, vector, "k")])
    brands, paths = (
        [(v.value, v.count) for v in index.facet([name])[name].values]
        for name in ("brand", "category")
    )
    assert brands == [("Chloé", 4), ("Acme", 1)]
    assert paths == [("Women", 4), ("Women/Bags", 2), ("Men", 1), ("Women/Shoes", 1)]
    grouped = index.search(IndexQuery(collapse="group_id", facets=("brand",))).facets["brand"]
    assert [(v.value, v.count) for v in grouped.values] == [("Chloé", 3), ("Acme", 1)]
