"""Filters as texts: parameters of a query string (`price_max=50`), and expressions of a shell
(`price<50`)."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from vitrine.errors import FieldError, InvalidFilter
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters.operators import as_datetime, read_condition
from vitrine.filters.parsing import parse_filter
from vitrine.filters.tree import Filter, Not

__all__ = ["parse_expression", "parse_parameters"]

_EXPRESSION = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*$", re.DOTALL)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def parse_expression(text: str, schema: Schema) -> Filter:
    """Read one shell filter: `price<50`, `color=red`, `color=red,blue`, `brand!=Acme`.

    A value with a comma stands in quotation marks: `category="Home, Kitchen"`.
    """
    match = _EXPRESSION.match(text)
    if match is None:
        raise InvalidFilter.of(
            "filter",
            f"{text!r} is not a filter; write field=value, field!=value, field<value, <=, > or >=",
        )
    name, sign, raw = match.groups()
    field = schema.require(name, wrong=InvalidFilter)
    if sign in _SIGNS:
        return read_condition(field, _SIGNS[sign], _typed(name, field, raw))
    values = next(csv.reader([raw.replace("\n", " ")], skipinitialspace=True), None) or [""]
    condition = parse_parameters([(name, value) for value in values], schema)
    return Not(condition) if sign == "!=" else condition


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
            as_datetime(field, raw)
        except InvalidFilter as error:
            raise InvalidFilter.of(name, error.errors[0].message) from None
    return raw
