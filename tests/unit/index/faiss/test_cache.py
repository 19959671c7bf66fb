"""The cache of an index weighs all that it holds, keys included, and never outgrows its size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Hashable, Sequence
from dataclasses import replace

import pytest

from tests.contract.catalogue import make_catalogue
from tests.unit.index.faiss.conftest import Open, create
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters import parse_filter
from vitrine.index import IndexQuery
from vitrine.index.faiss.lru_cache import SizedLRUCache
from vitrine.index.faiss.query.answers import product_nbytes
from vitrine.products import Product

CAPACITY = 1_000_000
SCHEMA = Schema((Field("id", FieldType.KEYWORD), Field("color", FieldType.KEYWORD)))


def kept(cache: SizedLRUCache, key: Hashable) -> bool:
    """Whether a result is there, which makes it the last one used."""
    made: list[int] = []
    cache.get(key, lambda: made.append(1))
    return not made


def test_what_was_used_last_stays():
    cache = SizedLRUCache(CAPACITY)
    for number in range(3):
        cache.get(number, lambda: "", nbytes=lambda _: 400_000)
    assert [kept(cache, number) for number in (2, 1)] == [True, True]
    assert not kept(cache, 0)


def test_a_result_larger_than_the_cache_is_given_and_not_kept():
    cache = SizedLRUCache(CAPACITY)
    assert cache.get("a", lambda: "b", nbytes=lambda _: CAPACITY + 1) == "b"
    assert not kept(cache, "a")


def test_of_several_results_those_that_are_missing_are_made_together():
    cache, made = SizedLRUCache(CAPACITY), list[list[int]]()

    def make(keys: Sequence[int]) -> dict[int, str]:
        made.append(list(keys))
        return {key: str(key) for key in keys if key < 10}

    def several(*keys: int) -> dict[int, str]:
        return cache.get_many(keys, make, nbytes=lambda _: 300_000)

    assert several(1, 2) == {1: "1", 2: "2"}
    assert several(2, 3, 10) == {2: "2", 3: "3"}
    assert several(1) == {1: "1"}
    assert several(4) == {4: "4"}  # 2 was used before 3 and 1
    assert several(3, 1, 4, 2) == {key: str(key) for key in (1, 2, 3, 4)}
    assert made == [[1, 2], [3, 10], [4], [2]]


PRODUCTS = {
    "description": lambda text: Product(id="p", title="Mug", description=text),
    "attribute": lambda text: Product(id="p", title="Mug", attributes={"care": text}),
    "attribute of several texts": lambda text: Product(
        id="p", title="Mug", attributes={"care": (text, f"not {text}")}
    ),
    "codes": lambda text: Product(id="p", title="Mug", codes=(text,)),
}


@pytest.mark.parametrize("kind", PRODUCTS)
@pytest.mark.parametrize("letter", ["x", "\N{GRINNING FACE}"])
def test_all_texts_of_a_product_count(kind: str, letter: str):
    tracemalloc.start()
    try:
        product = PRODUCTS[kind](letter * 90_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held <= product_nbytes(product) < held + 5000


def test_the_texts_of_products_count_in_answers_as_well(open_faiss: Open):
    index, (record,) = create(open_faiss()), make_catalogue(1, 4)
    index.upsert([replace(record, product=replace(record.product, description="x" * 90_000))])
    state = index._reader.current()
    for number in range(1, 4):
        index.search(IndexQuery(limit=number))
        assert state.cache._nbytes > number * 90_000
        assert 90_000 < state.products._nbytes < 100_000


KEYS = {
    "text": lambda text: text,
    "bytes": lambda text: text.encode(),
    "texts within tuples": lambda text: ("facets", (1, (text,))),
    "a filter": lambda text: parse_filter({"color": text}, SCHEMA),
    "a filter of filters": lambda text: parse_filter({"or": [{"color": text}]}, SCHEMA),
    "a set": lambda text: frozenset({text}),
}


@pytest.mark.parametrize("kind", KEYS)
def test_what_clients_send_as_keys_counts_as_well(kind: str):
    """Texts of 90,000 characters, another one each time: 27 MB in all, of which 1 MB may stay."""
    cache = SizedLRUCache(CAPACITY)
    make = KEYS[kind]
    tracemalloc.start()
    try:
        for number in range(300):
            cache.get(make(f"{number} ".ljust(90_000, "x")), lambda: None)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * CAPACITY
    assert kept(cache, make("299 ".ljust(90_000, "x")))
