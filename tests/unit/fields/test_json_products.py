"""Products and changes as API callers send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vitrine.errors import InvalidProduct
from vitrine.fields import (
    BUILT_IN_FIELDS,
    Field,
    FieldType,
    Schema,
    changes_from_json,
    product_from_json,
)
from vitrine.fields.colors import BUILT_IN_WORDS, ColorWords
from vitrine.products import Product

SCHEMA = Schema(
    (
        *(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()),
        Field("pattern", FieldType.KEYWORD),
        Field("added", FieldType.DATETIME),
    )
)


def test_a_json_object_becomes_a_product() -> None:
    data = {
        "id": "1",
        "title": "Mug",
        "price": 4.5,
        "currency": "EUR",
        "color": ["Navy"],
        "category": "Home/Kitchen",
        "in_stock": True,
        "pattern": "Dots",
        "added": "2026-01-31",
        "brand": None,
        "image": {"url": "https://example.com/mug.jpg"},
    }
    assert product_from_json(data, SCHEMA) == Product(
        id="1",
        title="Mug",
        price=4.5,
        currency="EUR",
        color=("Navy",),
        colors=("blue",),
        category=("Home/Kitchen",),
        in_stock=True,
        attributes={"pattern": ("Dots",), "added": datetime(2026, 1, 31, tzinfo=UTC)},
    )


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ([], {""}),
        ("text", {""}),
        ({}, {"id", "title"}),
        ({"id": "1", "title": "Mug", "colour": "red"}, {"colour"}),  # codespell:ignore
        ({"id": "1", "title": "Mug", "price": "cheap", "in_stock": 7.5j}, {"price", "in_stock"}),
        ({"id": "1", "title": "Mug", "price": float("nan")}, {"price"}),
        ({"id": "x" * 513, "title": "Mug"}, {"id"}),
        ({"id": "1", "title": {"en": "Mug"}, "added": 5}, {"title", "added"}),
    ],
)
def test_every_fault_of_a_json_product_is_told(data: Any, fields: set[str]) -> None:
    with pytest.raises(InvalidProduct) as caught:
        product_from_json(data, SCHEMA)
    assert {error.field for error in caught.value.errors} == fields


def test_changes_are_typed_and_null_empties_a_field() -> None:
    assert changes_from_json(
        {"price": "5,50 €", "color": "Red", "brand": None, "pattern": ["a", "b"]}, SCHEMA
    ) == {
        "price": 5.5,
        "currency": "EUR",
        "color": ("Red",),
        "brand": None,
        "pattern": ("a", "b"),
    }


def test_a_currency_that_is_given_wins_over_the_one_that_a_sign_suggests() -> None:
    assert changes_from_json({"price": "$5", "currency": "CAD"}, SCHEMA) == {
        "price": 5.0,
        "currency": "CAD",
    }


def test_a_price_in_another_currency_than_the_one_given_is_refused() -> None:
    with pytest.raises(InvalidProduct, match="in EUR, but"):
        changes_from_json({"price": "5 €", "currency": "CAD"}, SCHEMA)


def test_further_fields_may_stand_in_attributes_as_answers_have_them() -> None:
    assert product_from_json(
        {"id": "1", "title": "Mug", "attributes": {"pattern": ["Dots"]}}, SCHEMA
    ).attributes == {"pattern": ("Dots",)}
    assert changes_from_json({"attributes": {"pattern": None}}, SCHEMA) == {"pattern": None}


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"id": "2"}, "id", "cannot be changed"),
        ({"colors": ["red"]}, "colors", "derived"),
        ({"image": {}}, "image", "without a new vector"),
        ({"title": None}, "title", "must keep a title"),
        ({"title": " "}, "title", "must keep a title"),
        ({"prize": 5}, "prize", "did you mean 'price'"),
        ({"price": -1}, "price", "negative"),
        ({}, "", "no field to change"),
        (None, "", "must be a JSON object"),
    ],
)
def test_a_wrong_change_is_refused_by_name(data: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidProduct) as caught:
        changes_from_json(data, SCHEMA)
    assert words in {error.field: error.message for error in caught.value.errors}[field]


def test_a_catalogues_own_words_for_colors_count_in_products_as_well() -> None:
    words = ColorWords.of_mapping({"colors": {"blushing": "pink", "mud": ["brown", "gray"]}})
    data = {"id": "1", "title": "Mug", "color": ["Blushing", "Mud", "Navy"]}
    product = product_from_json(data, SCHEMA, color_words=words)
    assert product.color == ("Blushing", "Mud", "Navy")
    assert set(product.colors) == {"pink", "brown", "gray", "blue"}
    assert product_from_json(data, SCHEMA).colors == ("blue",)
    assert ColorWords.of_mapping({"product": {}}) is BUILT_IN_WORDS
