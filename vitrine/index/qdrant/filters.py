"""The filter language as Qdrant conditions: one table, a row per operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from qdrant_client import models

from vitrine.fields.schema import Field, FieldType
from vitrine.filters import AnyOf, Condition, Filter, Not
from vitrine.index.qdrant.payload import filter_key, number, searchable

__all__ = ["CONDITIONS", "empty", "equal", "every", "translate"]


def _in(field: Field, operand: Any) -> models.Condition:
    key = filter_key(field)
    if field.type.numeric:  # Qdrant matches no floats, but a range may be a point
        return _any_of(
            [
                models.FieldCondition(key=key, range=models.Range(gte=number(v), lte=number(v)))
                for v in operand
            ]
        )
    if field.type is FieldType.BOOL:
        return _any_of([equal(key, v) for v in operand])
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(operand)))


def _match(field: Field, operand: Any) -> models.Condition:
    return models.FieldCondition(
        key=filter_key(field), match=models.MatchText(text=searchable(operand))
    )


def _bound(name: str) -> Callable[[Field, Any], models.Condition]:
    def bounded(field: Field, operand: Any) -> models.Condition:
        bounds = (
            models.DatetimeRange(**{name: operand})
            if isinstance(operand, datetime)
            else models.Range(**{name: number(operand)})
        )
        return models.FieldCondition(key=filter_key(field), range=bounds)

    return bounded


def _exists(field: Field, operand: Any) -> models.Condition:
    missing = empty(filter_key(field))
    return models.Filter(must_not=[missing]) if operand else missing


CONDITIONS: Mapping[str, Callable[[Field, Any], models.Condition]] = {
    "in": _in,
    "match": _match,
    "gt": _bound("gt"),
    "gte": _bound("gte"),
    "lt": _bound("lt"),
    "lte": _bound("lte"),
    "exists": _exists,
}
"""What each key of `vitrine.filters.OPERATORS` becomes."""


def translate(tree: Filter) -> models.Condition | None:
    """The tree as a condition; None for one that every product fulfills."""
    if isinstance(tree, Condition):
        return CONDITIONS[tree.operator](tree.field, tree.operand)
    if isinstance(tree, Not):
        part = translate(tree.part)
        return _nothing() if part is None else models.Filter(must_not=[part])
    parts = [translate(part) for part in tree.parts]
    if isinstance(tree, AnyOf):
        if not parts:
            return _nothing()
        return None if None in parts else _any_of([p for p in parts if p is not None])
    conditions = [p for p in parts if p is not None]
    return models.Filter(must=conditions) if conditions else None


def every(*parts: models.Condition | None) -> models.Filter | None:
    """The conjunction of the conditions there are; None when there are none."""
    conditions = [p for p in parts if p is not None]
    return models.Filter(must=conditions) if conditions else None


def empty(key: str) -> models.Condition:
    """Fulfilled where the payload has no value under the key."""
    return models.IsEmptyCondition(is_empty=models.PayloadField(key=key))


def equal(key: str, value: str | int | bool) -> models.Condition:
    """Fulfilled where one of the values under the key is this one."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _any_of(parts: list[models.Condition]) -> models.Condition:
    return models.Filter(should=parts)


def _nothing() -> models.Condition:
    return models.HasIdCondition(has_id=[])
