"""Changes of single fields leave a product that is whole."""

from __future__ import annotations

import pytest

from vitrine.fields import BUILT_IN_FIELDS, Field, Schema
from vitrine.index.patching import patched
from vitrine.index.product_json import product_from_json, product_to_json
from vitrine.products import TUPLE_FIELDS, Product

SCHEMA = Schema(tuple(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()))
PRODUCT = Product(
    id="1",
    title="Mug",
    price=4.0,
    compare_at_price=5.0,
    currency="EUR",
    url="https://shop.example.com/1",
    color=("Red",),
    colors=("red",),
    category=("Home",),
    description="A mug.",
    brand="Acme",
    in_stock=True,
    group_id="g",
    codes=("4006381333931", "MUG-1"),
)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN_FIELDS) - {"id", "title"}))
def test_an_emptied_field_is_as_in_a_product_that_never_had_it(name: str) -> None:
    emptied = patched(PRODUCT, {name: None}, SCHEMA)
    assert getattr(emptied, name) == getattr(Product(id="1", title="Mug"), name)
    assert product_from_json(product_to_json(emptied)) == emptied


def test_every_field_of_several_values_is_known_as_such() -> None:
    assert TUPLE_FIELDS == ("color", "colors", "category", "codes")
    assert patched(PRODUCT, {"codes": "X"}, SCHEMA).codes == ("X",)


def test_a_product_with_all_fields_returns_as_it_was() -> None:
    assert product_from_json(product_to_json(PRODUCT)) == PRODUCT
