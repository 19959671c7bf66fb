"""Every operator on every field type, and how they combine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA, unit
from vitrine.fields.colors import families
from vitrine.fields.scalars import parse_datetime
from vitrine.filters import parse_filter
from vitrine.index import IndexQuery, VectorIndex
from vitrine.products import Product, Record

PRODUCTS = [
    Product(id="bare", title="Bare"),
    Product(
        id="mug",
        title="Red tea-pot, STRASSE",
        price=10.0,
        currency="EUR",
        color=("Navy Blue", "Off-White"),
        category=("Home/Kitchen/Mugs", "Sale"),
        description="",
        brand="Acme",
        in_stock=True,
        group_id="g1",
        attributes={
            "pattern": ("dotted", "plain"),
            "rating": 4.5,
            "added": parse_datetime("2026-01-01"),
            "organic": True,
            "care": "wash warm",
        },
    ),
    Product(
        id="jug",
        title="Blue straße",
        price=20.0,
        color=("red",),
        category=("Home/Kitchenware",),
        description="a red-hot jug_for tea",
        brand="acme",
        in_stock=False,
        attributes={
            "pattern": ("plain",),
            "rating": -1.0,
            "added": parse_datetime("2026-01-01T00:00:00.000001"),
            "organic": False,
        },
    ),
    Product(id="zero", title="0", price=0.0, brand="", attributes={"rating": 0.0, "care": "..."}),
]

CASES: list[tuple[object, str]] = [
    ({}, "bare mug jug zero"),
    # keywords
    ({"id": "mug"}, "mug"),
    ({"id": ["mug", "bare", "none"]}, "bare mug"),
    ({"brand": "Acme"}, "mug jug"),
    ({"brand": ["ACME", "acme"]}, "mug jug"),
    ({"brand": " ácme "}, "mug jug"),
    ({"brand": "acm"}, ""),
    ({"id": "MUG"}, ""),
    ({"brand": ""}, "zero"),
    ({"brand": {"exists": True}}, "mug jug zero"),
    ({"brand": {"exists": False}}, "bare"),
    ({"pattern": "plain"}, "mug jug"),
    ({"pattern": "PLAIN"}, "mug jug"),
    ({"pattern": "dotted"}, "mug"),
    ({"pattern": ["dotted", "plain"]}, "mug jug"),
    ({"group_id": {"exists": False}}, "bare jug zero"),
    # colors: families, and as written whatever the case
    ({"color": "blue"}, "mug"),
    ({"color": "NAVY blue"}, "mug"),
    ({"color": "navy"}, ""),
    ({"color": "off\u2013white"}, "mug"),
    ({"color": ["red", "white"]}, "mug jug"),
    ({"color": {"exists": False}}, "bare zero"),
    # paths
    ({"category": "Home"}, "mug jug"),
    ({"category": "Home/Kitchen"}, "mug"),
    ({"category": "/Home/Kitchen/Mugs/"}, "mug"),
    ({"category": "Kitchen"}, ""),
    ({"category": "home"}, "mug jug"),
    ({"category": "Home > Kitchen"}, "mug"),
    ({"category": "HOME / kitchen / múgs"}, "mug"),
    ({"category": "home/kit"}, ""),
    ({"category": ["Sale", "Home/Kitchenware"]}, "mug jug"),
    ({"category": {"exists": True}}, "mug jug"),
    # numbers and money
    ({"price": 10}, "mug"),
    ({"price": [0, 20]}, "jug zero"),
    ({"price": {"gt": 10}}, "jug"),
    ({"price": {"gte": 10}}, "mug jug"),
    ({"price": {"lt": 10}}, "zero"),
    ({"price": {"lte": 10}}, "mug zero"),
    ({"price": {"gte": 5, "lt": 20}}, "mug"),
    ({"price": {"exists": False}}, "bare"),
    ({"rating": {"lt": 0}}, "jug"),
    ({"rating": {"lte": 0}}, "jug zero"),
    ({"rating": 4.5}, "mug"),
    # truth
    ({"in_stock": True}, "mug"),
    ({"in_stock": False}, "jug"),
    ({"in_stock": [True, False]}, "mug jug"),
    ({"in_stock": {"exists": False}}, "bare zero"),
    ({"organic": False}, "jug"),
    # times
    ({"added": {"gt": "2026-01-01"}}, "jug"),
    ({"added": {"gte": "2026-01-01T01:00:00+01:00"}}, "mug jug"),
    ({"added": {"lte": "2026-01-01"}}, "mug"),
    ({"added": {"lt": "2026-01-01"}}, ""),
    ({"added": {"exists": False}}, "bare zero"),
    # text: every word, whole, whatever the case
    ({"title": "pot red"}, "mug"),
    ({"title": "tea-pot"}, "mug"),
    ({"title": "strasse"}, "mug jug"),
    ({"title": "Rêd"}, "mug"),
    ({"title": "stras"}, ""),
    ({"title": "red red"}, "mug"),
    ({"title": "red blue"}, ""),
    ({"description": "jug_for"}, "jug"),
    ({"description": "jug"}, ""),
    ({"description": {"exists": True}}, "mug jug"),
    ({"care": {"exists": True}}, "mug zero"),
    ({"care": {"match": "warm"}}, "mug"),
    # together
    ({"price": {"gte": 15}, "brand": "Acme"}, "jug"),
    ({"not": {"brand": "Acme"}}, "bare zero"),
    ({"not": {"price": {"lt": 15}}}, "bare jug"),
    ({"not": {"color": "blue"}}, "bare jug zero"),
    ({"not": {}}, ""),
    ({"or": [{"brand": "Acme"}, {"price": 0}]}, "mug jug zero"),
    ({"or": [{"brand": "Acme", "price": 20}, {"title": "blue"}]}, "jug"),
    ({"or": [{}]}, "bare mug jug zero"),
    ({"not": {"or": [{"brand": "Acme"}, {"not": {"price": {"exists": True}}}]}}, "zero"),
    (
        {"price": {"gt": 5}, "or": [{"color": "red"}, {"in_stock": True}], "not": {"id": "mug"}},
        "jug",
    ),
    ({"not": {"not": {"not": {"in_stock": True}}}}, "bare jug zero"),
]


@pytest.mark.parametrize("plan", ["browse", "vector"])
def test_each_filter_lets_the_right_products_through(index: VectorIndex, plan: str):
    assert [families(p.color) for p in PRODUCTS[1:3]] == [("blue", "white"), ("red",)]
    vector = unit(np.ones(DIMENSION))
    index.upsert([Record.of_picture(_with_families(p), vector, "k") for p in PRODUCTS])
    wrong = []
    for text, expected in CASES:
        tree = parse_filter(text, SCHEMA)
        answer = index.search(IndexQuery(vector=vector if plan == "vector" else None, filter=tree))
        matches = {h.product.id for h in answer.hits}
        if (
            matches != set(expected.split())
            or answer.matching != len(matches)
            or index.count(tree) != len(matches)
        ):
            wrong.append(
                f"{text}: {sorted(matches)} instead of {expected},"
                f" matching {answer.matching}, count {index.count(tree)}"
            )
    assert not wrong, "\n".join(wrong)


def _with_families(product: Product) -> Product:
    return replace(product, colors=families(product.color))
