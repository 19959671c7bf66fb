"""The filter language as Qdrant conditions: one table, a row per operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from qdrant_client import models

from vitrine.fields.schema import Field, FieldType
from vitrine.filters import AnyOf, Condition, Filter, Not, folded_value, folded_words, is_folded
from vitrine.index.qdrant.payload import filter_key, folded_key, number, searchable

__all__ = ["CONDITIONS", "empty", "equal", "every", "folded", "translate"]


class Folded(Condition):
    """A condition whose operand is folded, and compared with folded values."""


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
    return _among(key, operand)


def _among(key: str, operand: Any) -> models.Condition:
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


def folded(tree: Filter) -> Filter:
    """The tree with conditions on texts folded, as versions that keep folded values need them."""
    if isinstance(tree, Not):
        return Not(folded(tree.part))
    if not isinstance(tree, Condition):
        return type(tree)(tuple(folded(part) for part in tree.parts))
    field, operand = tree.field, tree.operand
    if tree.operator == "match" and isinstance(operand, tuple):
        words = (word for text in operand for word in folded_words(str(text)))
        return Condition(field, "match", tuple(dict.fromkeys(words)))
    if tree.operator == "in" and isinstance(operand, tuple) and is_folded(field):
        values = (folded_value(field, str(text)) for text in operand)
        return Folded(field, "in", tuple(dict.fromkeys(values)))
    return tree


def translate(tree: Filter) -> models.Condition | None:
    """The tree as a condition; None for one that every product fulfills."""
    if isinstance(tree, Folded):
        return _among(folded_key(tree.field), tree.operand)
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
    """A condition on payloads that have no value under the key."""
    return models.IsEmptyCondition(is_empty=models.PayloadField(key=key))


def equal(key: str, value: str | int | bool) -> models.Condition:
    """A condition on payloads of which one of the values under the key is this one."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _any_of(parts: list[models.Condition]) -> models.Condition:
    return models.Filter(should=parts)


def _nothing() -> models.Condition:
    return models.HasIdCondition(has_id=[])
