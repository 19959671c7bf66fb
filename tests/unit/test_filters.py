"""The filter language: what is read, what is refused, and that each refusal names the field and
what is allowed."""

from __future__ import annotations

import pytest

from vitrine.errors import InvalidFilter
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters import (
    MATCH_ALL,
    All,
    AnyOf,
    Condition,
    Not,
    parse_expression,
    parse_filter,
    parse_parameters,
)

SCHEMA = Schema(
    tuple(
        Field(name, kind)
        for name, kind in {
            "title": FieldType.TEXT,
            "price": FieldType.MONEY,
            "color": FieldType.COLOR,
            "category": FieldType.PATH,
            "brand": FieldType.KEYWORD,
            "in_stock": FieldType.BOOL,
            "added": FieldType.DATETIME,
        }.items()
    )
)
PRICE, COLOR, BRAND = (SCHEMA.require(n, wrong=InvalidFilter) for n in ("price", "color", "brand"))


def test_an_empty_filter_is_fulfilled_by_everything():
    assert parse_filter({}, SCHEMA) == MATCH_ALL


def test_the_example_of_the_api_page_is_read_into_a_tree():
    tree = parse_filter(
        {
            "price": {"gte": 10, "lt": 50},
            "color": ["Red", "blue"],
            "not": {"brand": "Acme"},
            "or": [{"in_stock": True}, {"title": "red mug"}],
        },
        SCHEMA,
    )
    assert isinstance(tree, All)
    assert tree.parts[:3] == (
        Condition(PRICE, "gte", 10.0),
        Condition(PRICE, "lt", 50.0),
        Condition(COLOR, "in", ("red", "blue")),
    )
    assert tree.parts[3] == Not(Condition(BRAND, "in", ("Acme",)))
    assert isinstance(tree.parts[4], AnyOf)
    assert tree.parts[4].parts[1].operand == ("red", "mug")


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"colour": "red"}, "colour", "the catalogue has title, price"),  # codespell:ignore
        ({"price": "cheap"}, "price", "must be a number"),
        ({"price": True}, "price", "must be a number"),
        ({"price": float("nan")}, "price", "must be a number"),
        ({"price": {"gte": 50, "lte": 10}}, "price", "above the upper bound"),
        ({"price": {"between": 3}}, "price", "allowed on a money field: in, gt"),
        ({"price": {}}, "price", "has no operator"),
        ({"brand": {"gt": "A"}}, "brand", "allowed on a keyword field"),
        ({"brand": []}, "brand", "empty"),
        ({"brand": 3}, "brand", "must be text"),
        ({"brand": "a\x00b"}, "brand", "NUL"),
        ({"in_stock": "yes"}, "in_stock", "must be true or false"),
        ({"added": {"gte": "yesterday"}}, "added", "2026-01-31"),
        ({"title": "!!!"}, "title", "no word"),
        ({"or": []}, "or", "at least one"),
        ({"or": {"price": 3}}, "or", "list"),
        ({"not": 3}, "filter", "object"),
        ([], "filter", "object"),
    ],
)
def test_a_faulty_filter_is_refused_with_field_and_remedy(given: object, field: str, says: str):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(given, SCHEMA)
    assert [e.field for e in caught.value.errors] == [field]
    assert says in caught.value.errors[0].message


def test_every_fault_of_one_level_is_told_at_once():
    with pytest.raises(InvalidFilter) as caught:
        parse_filter({"price": "x", "brand": 3}, SCHEMA)
    assert [e.field for e in caught.value.errors] == ["price", "brand"]


def test_deep_nesting_is_refused():
    given: dict[str, object] = {"brand": "Acme"}
    for _ in range(50):
        given = {"not": given}
    with pytest.raises(InvalidFilter, match="nested deeper"):
        parse_filter(given, SCHEMA)


def test_very_long_lists_are_refused():
    with pytest.raises(InvalidFilter, match="more than 1000"):
        parse_filter({"brand": [str(i) for i in range(2000)]}, SCHEMA)


def test_a_repeated_parameter_means_any_of_and_min_max_are_inclusive():
    tree = parse_parameters(
        [("color", "red"), ("color", "Blue"), ("price_min", "10"), ("price_max", "50")], SCHEMA
    )
    assert tree == All(
        (
            Condition(COLOR, "in", ("red", "blue")),
            Condition(PRICE, "gte", 10.0),
            Condition(PRICE, "lte", 50.0),
        )
    )


@pytest.mark.parametrize("name", ["colour", "brand_min", "price_mean", "added"])  # codespell:ignore
def test_an_unknown_parameter_is_refused_naming_what_is_allowed(name: str):
    with pytest.raises(InvalidFilter, match="price_min, price_max, added_min"):
        parse_parameters([(name, "1")], SCHEMA)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("price<50", Condition(PRICE, "lt", 50.0)),
        ("price >= 5.5", Condition(PRICE, "gte", 5.5)),
        ("color=red,Blue", Condition(COLOR, "in", ("red", "blue"))),
        ("brand!=Acme", Not(Condition(BRAND, "in", ("Acme",)))),
        ('brand="Acme, Inc.", 6" Pipes', Condition(BRAND, "in", ("Acme, Inc.", '6" Pipes'))),
        ("brand=", Condition(BRAND, "in", ("",))),
    ],
)
def test_shell_expressions_are_read(text: str, tree: object):
    assert parse_expression(text, SCHEMA) == tree


@pytest.mark.parametrize("text", ["price", "<50", "", "price<cheap", "nope=1"])
def test_faulty_shell_expressions_are_refused(text: str):
    with pytest.raises(InvalidFilter):
        parse_expression(text, SCHEMA)
