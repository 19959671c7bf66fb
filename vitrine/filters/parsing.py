"""Filters as JSON objects, the form of the API."""

from __future__ import annotations

from collections.abc import Mapping

from vitrine.errors import FieldError, InvalidFilter
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters.operators import (
    MAX_CHARACTERS,
    MAX_VALUES,
    TOO_MANY,
    allowed_operators,
    read_condition,
)
from vitrine.filters.tree import All, AnyOf, Condition, Filter, Not

__all__ = ["MAX_DEPTH", "parse_filter"]

MAX_DEPTH = 8
"""Nesting of `or` and `not`; deeper filters are refused."""


def parse_filter(tree: object, schema: Schema) -> Filter:
    """Read the JSON form (docs/search.md) into a tree.

    Raises `InvalidFilter` with every fault found at the first faulty level, naming field and
    remedy.
    """
    parsed = _object(tree, schema, 0)
    if _size(parsed) > MAX_VALUES:
        raise InvalidFilter.of("filter", TOO_MANY)
    if _characters(parsed) > MAX_CHARACTERS:
        raise InvalidFilter.of("filter", f"has more than {MAX_CHARACTERS} characters of text")
    return parsed


def _object(tree: object, schema: Schema, depth: int) -> Filter:
    if not isinstance(tree, Mapping):
        raise InvalidFilter.of("filter", f"must be an object of fields, not {type(tree).__name__}")
    if depth > MAX_DEPTH:
        raise InvalidFilter.of("filter", f"is nested deeper than {MAX_DEPTH} levels")
    parts: list[Filter] = []
    errors: list[FieldError] = []
    for key, value in tree.items():
        try:
            parts.extend(_entry(key, value, schema, depth))
        except InvalidFilter as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidFilter(errors)
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _entry(key: str, value: object, schema: Schema, depth: int) -> list[Filter]:
    if key == "not":
        return [Not(_object(value, schema, depth + 1))]
    if key == "or":
        if not isinstance(value, list) or not value:
            raise InvalidFilter.of("or", "must be a list of at least one filter object")
        if len(value) > MAX_VALUES:
            raise InvalidFilter.of("filter", TOO_MANY)
        return [AnyOf(tuple(_object(v, schema, depth + 1) for v in value))]
    field = schema.require(key, wrong=InvalidFilter)
    if isinstance(value, Mapping):
        return _conditions(field, value)
    return [read_condition(field, "match" if field.type is FieldType.TEXT else "in", value)]


def _conditions(field: Field, operands: Mapping[str, object]) -> list[Filter]:
    if not operands:
        raise InvalidFilter.of(field.name, f"has no operator; allowed: {allowed_operators(field)}")
    conditions = [read_condition(field, operator, value) for operator, value in operands.items()]
    bounds = {c.operator: c.operand for c in conditions}
    low, high = bounds.get("gte", bounds.get("gt")), bounds.get("lte", bounds.get("lt"))
    crossed = low is not None and high is not None and low > high  # type: ignore[operator]
    if crossed:  # both bounds have the ranged type of the field
        raise InvalidFilter.of(
            field.name,
            f"the lower bound {operands.get('gte', operands.get('gt'))} is above the upper bound"
            f" {operands.get('lte', operands.get('lt'))}",
        )
    return list(conditions)


def _size(tree: Filter) -> int:
    if isinstance(tree, Condition):
        return len(tree.operand) if isinstance(tree.operand, tuple) else 1
    if isinstance(tree, Not):
        return 1 + _size(tree.part)
    return 1 + sum(_size(part) for part in tree.parts)


def _characters(tree: Filter) -> int:
    if isinstance(tree, Condition):
        operand = tree.operand if isinstance(tree.operand, tuple) else (tree.operand,)
        return sum(len(value) for value in operand if isinstance(value, str))
    if isinstance(tree, Not):
        return _characters(tree.part)
    return sum(_characters(part) for part in tree.parts)
