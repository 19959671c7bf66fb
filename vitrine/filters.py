"""The filter language: what can be asked of a product's fields, parsed and checked against the
catalogue's schema.

A backend translates the tree (`All`, `AnyOf`, `Not`, `Condition`) and the rows of `OPERATORS`. A
product without a value for a field fulfills no condition on that field (so it does fulfill the
condition's `Not`), except `exists: false`. A field with several values fulfills a condition when
one of them does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from vitrine.errors import FieldError, InvalidFilter
from vitrine.fields.colors import family_of
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.folding import fold

__all__ = [
    "MATCH_ALL",
    "OPERATORS",
    "All",
    "AnyOf",
    "Condition",
    "Filter",
    "Not",
    "Operand",
    "folded_value",
    "folded_words",
    "is_folded",
    "parse_expression",
    "parse_filter",
    "parse_parameters",
    "words",
]

Operand: TypeAlias = (
    str | float | bool | datetime | tuple[str, ...] | tuple[float, ...] | tuple[bool, ...]
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: `operator` is a key of `OPERATORS`, `operand` already has the field's type.

    COLOR operands are casefolded, and the family where a word of any language names one. TEXT
    operands are the casefolded words as a tuple. Texts are compared folded (`folded_value`,
    `folded_words`), ids as they are.
    """

    field: Field
    operator: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class All:
    """Fulfilled when every part is; without parts, by every product."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Fulfilled when at least one part is."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Fulfilled by the products that do not fulfill the part."""

    part: Filter


Filter: TypeAlias = Condition | All | AnyOf | Not

MATCH_ALL = All()

MAX_DEPTH = 8
"""Nesting of `or` and `not`; deeper filters are refused."""
MAX_VALUES = 1000
"""Conditions and listed values in one filter; more are refused."""
_TOO_MANY = f"has more than {MAX_VALUES} conditions and values"
MAX_CHARACTERS = 100_000
"""Of all texts in one filter together; more are refused."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text as TEXT conditions compare them: casefolded runs of letters, digits and
    underscores."""
    return tuple(re.findall(r"\w+", text.casefold()))


def is_folded(field: Field) -> bool:
    """Whether values of the field are equal when their folded forms are: all texts but ids."""
    return field.type in (FieldType.KEYWORD, FieldType.COLOR, FieldType.PATH) and field.name != "id"


def folded_value(field: Field, text: str) -> str:
    """The form in which values of a KEYWORD, COLOR or PATH field are compared.

    >>> folded_value(Field("category", FieldType.PATH), "Clothing > Robes d'Été")
    "clothing/robes d'ete"
    """
    if field.type is not FieldType.PATH:
        return fold(text)
    levels = (fold(level) for level in _BETWEEN_LEVELS.split(text))
    return "/".join(level for level in levels if level)


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text in the form in which TEXT conditions compare them."""
    return tuple(re.findall(r"\w+", fold(text)))


def _number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidFilter.of(field.name, f"must be a number, not {_as_sent(value)}")
    return float(value)


def _datetime(field: Field, value: object) -> datetime:
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
        return _datetime(field, value)
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
        raise InvalidFilter.of("filter", _TOO_MANY)
    return tuple(dict.fromkeys(_scalar(field, v) for v in values))  # type: ignore[return-value]


def _text(field: Field, value: object) -> Operand:
    terms = words(_string(field, value))
    if not terms:
        raise InvalidFilter.of(field.name, "contains no word to look for")
    return terms


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table: which field types take it and how its operand is read."""

    takes: Callable[[FieldType], bool]
    read: Callable[[Field, Any], Operand]
    meaning: str


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


def parse_filter(tree: object, schema: Schema) -> Filter:
    """Read the JSON form of api.md into a tree.

    Raises `InvalidFilter` with every fault found at the first faulty level, naming field and
    remedy.
    """
    parsed = _object(tree, schema, 0)
    if _size(parsed) > MAX_VALUES:
        raise InvalidFilter.of("filter", _TOO_MANY)
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
            raise InvalidFilter.of("filter", _TOO_MANY)
        return [AnyOf(tuple(_object(v, schema, depth + 1) for v in value))]
    field = schema.require(key, wrong=InvalidFilter)
    if isinstance(value, Mapping):
        return _conditions(field, value)
    return [_condition(field, "match" if field.type is FieldType.TEXT else "in", value)]


def _conditions(field: Field, operands: Mapping[str, object]) -> list[Filter]:
    if not operands:
        raise InvalidFilter.of(field.name, f"has no operator; allowed: {_allowed(field)}")
    conditions = [_condition(field, operator, value) for operator, value in operands.items()]
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


def _condition(field: Field, operator: str, value: object) -> Condition:
    row = OPERATORS.get(operator)
    if row is None or not row.takes(field.type):
        raise InvalidFilter.of(
            field.name,
            f"has no operator {operator!r}; allowed on a {field.type} field: {_allowed(field)}",
        )
    return Condition(field, operator, row.read(field, value))


def _allowed(field: Field) -> str:
    return ", ".join(name for name, row in OPERATORS.items() if row.takes(field.type))


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


_BETWEEN_LEVELS = re.compile("[/>»]")
"""As catalogues write paths (`vitrine.fields.scalars.parse_paths`)."""
_EXPRESSION = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*$", re.DOTALL)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def parse_expression(text: str, schema: Schema) -> Filter:
    """Read one shell filter: `price<50`, `color=red`, `color=red,blue`, `brand!=Acme`."""
    match = _EXPRESSION.match(text)
    if match is None:
        raise InvalidFilter.of(
            "filter",
            f"{text!r} is not a filter; write field=value, field!=value, field<value, <=, > or >=",
        )
    name, sign, raw = match.groups()
    field = schema.require(name, wrong=InvalidFilter)
    if sign in _SIGNS:
        return _condition(field, _SIGNS[sign], _typed(name, field, raw))
    condition = parse_parameters([(name, value) for value in raw.split(",")], schema)
    return Not(condition) if sign == "!=" else condition


def _as_sent(value: object) -> str:
    """A value as JSON writes it, where Python has another name for it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def parse_parameters(
    pairs: Iterable[tuple[str, str]], schema: Schema, *, besides: Sequence[str] = ()
) -> Filter:
    """Read `field=value`, `field_min=value` and `field_max=value` pairs.

    A repeated field means any of. `besides` are the names that are no filters but allowed where the
    pairs come from; the refusal of an unknown name tells them too.
    """
    tree: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, raw in pairs:
        try:
            field, operator = _parameter(name, schema, besides)
            value = _typed(name, field, raw)
        except InvalidFilter as error:
            errors.extend(error.errors)
            continue
        ops = tree.setdefault(field.name, {})
        if operator == "in":
            ops.setdefault("in", []).append(value)
        elif operator in ops:
            errors.extend(InvalidFilter.of(name, "is given more than once").errors)
        else:
            ops[operator] = value
    if errors:
        raise InvalidFilter(errors)
    return parse_filter(tree, schema)


def _parameter(name: str, schema: Schema, besides: Sequence[str]) -> tuple[Field, str]:
    field = schema.get(name)
    if field is not None and field.type is not FieldType.DATETIME:
        return field, "match" if field.type is FieldType.TEXT else "in"
    for suffix, operator in (("_min", "gte"), ("_max", "lte")):
        ranged = schema.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if ranged is not None and ranged.type.ranged:
            return ranged, operator
    ranges = ", ".join(f"{f.name}_min, {f.name}_max" for f in schema if f.type.ranged)
    others = f"besides {', '.join(besides)}, " if besides else ""
    raise InvalidFilter.of(
        name,
        f"unknown; {others}allowed are the fields {schema.names()}"
        + (f", {ranges}" if ranges else ""),
    )


def _typed(name: str, field: Field, raw: str) -> object:
    """The value of a parameter as its field's type.

    A refusal names the parameter as it was sent.
    """
    if field.type.numeric:
        if _NUMBER.fullmatch(raw) is None or not math.isfinite(float(raw)):
            raise InvalidFilter.of(name, f"must be a number, not {raw!r}")
        return float(raw)
    if field.type is FieldType.BOOL:
        truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            raw.casefold()
        )
        if truth is None:
            raise InvalidFilter.of(name, f"must be true or false, not {raw!r}")
        return truth
    if field.type is FieldType.DATETIME:
        try:
            _datetime(field, raw)
        except InvalidFilter as error:
            raise InvalidFilter.of(name, error.errors[0].message) from None
    return raw
