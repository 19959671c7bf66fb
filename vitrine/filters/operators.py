"""The operators: one table, a row each, and how the operand of each is read and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vitrine.errors import InvalidFilter
from vitrine.fields.colors import family_of
from vitrine.fields.schema import Field, FieldType
from vitrine.filters.folded import words
from vitrine.filters.tree import Condition, Operand

__all__ = [
    "MAX_CHARACTERS",
    "MAX_VALUES",
    "OPERATORS",
    "TOO_MANY",
    "Operator",
    "allowed_operators",
    "as_datetime",
    "read_condition",
]

MAX_VALUES = 1000
"""Conditions and listed values in one filter; more are refused."""
TOO_MANY = f"has more than {MAX_VALUES} conditions and values"
MAX_CHARACTERS = 100_000
"""Of all texts in one filter together; more are refused."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table: which field types take it and how its operand is read."""

    takes: Callable[[FieldType], bool]
    read: Callable[[Field, Any], Operand]
    meaning: str


def _number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidFilter.of(field.name, f"must be a number, not {_as_sent(value)}")
    return float(value)


def as_datetime(field: Field, value: object) -> datetime:
    """An ISO 8601 text as a time in UTC; one without an offset is taken as UTC.

    `InvalidFilter` for anything else.
    """
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        when = None
    if when is None:
        raise InvalidFilter.of(
            field.name,
            f"{_as_sent(value)} is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00+00:00",
        )
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _boolean(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidFilter.of(field.name, f"must be true or false, not {_as_sent(value)}")
    return value


def _string(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFilter.of(field.name, f"must be text, not {_as_sent(value)}")
    if len(value) > MAX_CHARACTERS:
        raise InvalidFilter.of(field.name, f"is longer than {MAX_CHARACTERS} characters")
    if "\x00" in value:
        raise InvalidFilter.of(field.name, "the text contains a NUL character")
    return (
        family_of(value)
        if field.type is FieldType.COLOR
        else value.strip("/")
        if field.type is FieldType.PATH
        else value
    )


def _scalar(field: Field, value: object) -> str | float | bool | datetime:
    if field.type.numeric:
        return _number(field, value)
    if field.type is FieldType.DATETIME:
        return as_datetime(field, value)
    if field.type is FieldType.BOOL:
        return _boolean(field, value)
    return _string(field, value)


def _listed(field: Field, value: object) -> Operand:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise InvalidFilter.of(
            field.name, "the list is empty; leave the field out to allow every value"
        )
    if len(values) > MAX_VALUES:
        raise InvalidFilter.of("filter", TOO_MANY)
    return tuple(dict.fromkeys(_scalar(field, v) for v in values))  # type: ignore[return-value]


def _text(field: Field, value: object) -> Operand:
    terms = words(_string(field, value))
    if not terms:
        raise InvalidFilter.of(field.name, "contains no word to look for")
    return terms


OPERATORS: Mapping[str, Operator] = {
    "in": Operator(
        lambda t: t is not FieldType.TEXT and t is not FieldType.DATETIME,
        _listed,
        "equals one of the values",
    ),
    "match": Operator(lambda t: t is FieldType.TEXT, _text, "contains every word"),
    "gt": Operator(lambda t: t.ranged, _scalar, "greater than"),
    "gte": Operator(lambda t: t.ranged, _scalar, "greater than or equal to"),
    "lt": Operator(lambda t: t.ranged, _scalar, "less than"),
    "lte": Operator(lambda t: t.ranged, _scalar, "less than or equal to"),
    "exists": Operator(lambda _: True, _boolean, "true: has a value; false: has none"),
}
"""Every operator there is. A bare value or list means `in`, or `match` on text fields."""


def read_condition(field: Field, operator: str, value: object) -> Condition:
    """A condition, its operand read; `InvalidFilter` where the field does not take operator or
    value."""
    row = OPERATORS.get(operator)
    if row is None or not row.takes(field.type):
        raise InvalidFilter.of(
            field.name,
            f"has no operator {operator!r}; allowed on a {field.type} field:"
            f" {allowed_operators(field)}",
        )
    return Condition(field, operator, row.read(field, value))


def allowed_operators(field: Field) -> str:
    """Names of the operators that the field takes, separated by commas."""
    return ", ".join(name for name, row in OPERATORS.items() if row.takes(field.type))


def _as_sent(value: object) -> str:
    """A value as JSON writes it, where Python has another name for it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)
