"""Paths into nested data."""

from __future__ import annotations

from typing import Any

import pytest

from vitrine.fields.paths import head, value_at

ROW: dict[str, Any] = {
    "price.net": 5,
    "offers": {"price": "19.99", "seller": {"name": "Acme"}},
    "images": [{"src": "a.jpg"}, {"src": "b.jpg"}, {}],
    "param": [{"@name": "Цвет", "#text": "красный"}, {"@name": "Size", "#text": "44"}],
    "options": [{"value": "S", "option": {"title": "Size"}}],
    "additional_attributes": 'color=Black|Blue,material=Cotton, Wool,"size=S"',
    "json": '{"a": {"b": [1, 2]}}',
    "tags": ["x", "y"],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("price.net", 5),
        ("offers.price", "19.99"),
        ("offers.seller.name", "Acme"),
        ("images[].src", ["a.jpg", "b.jpg"]),
        ("images.src", ["a.jpg", "b.jpg"]),
        ("images[0].src", ["a.jpg"]),
        ("images[9].src", None),
        ("param[цвет]", ["красный"]),
        ("param[Size]", ["44"]),
        ("options[Size]", ["S"]),
        ("additional_attributes.color", "Black|Blue"),
        ("additional_attributes.material", "Cotton, Wool"),
        ("additional_attributes.size", "S"),
        ("json.a.b", [1, 2]),
        ("tags", ["x", "y"]),
        ("none", None),
        ("offers.none.deeper", None),
        ("offers.price.deeper", None),
    ],
)
def test_a_path_finds_its_value(path: str, value: object) -> None:
    assert value_at(ROW, path) == value


@pytest.mark.parametrize(
    ("path", "column"), [("a", "a"), ("a.b", "a"), ("a[].b", "a"), ("a b (c)", "a b (c)")]
)
def test_a_path_begins_in_a_column(path: str, column: str) -> None:
    assert head(path) == column
