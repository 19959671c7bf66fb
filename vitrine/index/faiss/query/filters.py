"""Filters over a segment's columns: a tree becomes a mask of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from vitrine.fields.schema import FieldType
from vitrine.filters import All, AnyOf, Condition, Filter, Not
from vitrine.index.faiss.columns.layout import ID, microseconds, written
from vitrine.index.faiss.columns.types import Keywords, Mask, Numbers
from vitrine.index.faiss.segment import Segment

__all__ = ["matching"]


def matching(tree: Filter, segment: Segment) -> Mask:
    """Which rows fulfil the filter; kept with the segment, so not to be written to."""
    return segment.recent.get(
        tree, lambda: _evaluate(tree, segment), weight=lambda mask: mask.nbytes + 100
    )


def _evaluate(tree: Filter, segment: Segment) -> Mask:
    if isinstance(tree, Condition):
        return _condition(tree, segment)
    if isinstance(tree, Not):
        return ~matching(tree.part, segment)
    combine: Any = np.logical_or if isinstance(tree, AnyOf) else np.logical_and
    found = np.full(len(segment), isinstance(tree, All))
    for part in tree.parts:
        combine(found, matching(part, segment), out=found)
    return found


def _condition(condition: Condition, segment: Segment) -> Mask:
    field, operand = condition.field, condition.operand
    if field.name == ID:
        return _ids(condition, segment)
    column = segment.columns[written(field.name) if field.type is FieldType.COLOR else field.name]
    if condition.operator == "exists":
        assert isinstance(column, Keywords | Numbers)  # noqa: S101  # the layout made it so
        return column.present if operand is True else ~column.present
    if isinstance(column, Keywords):
        assert isinstance(operand, tuple)  # noqa: S101  # the parser made it so
        return _words(column, [str(word) for word in operand], every=condition.operator == "match")
    assert isinstance(column, Numbers)  # noqa: S101  # the layout made it so
    return _numbers(column, condition)


def _ids(condition: Condition, segment: Segment) -> Mask:
    if condition.operator == "exists":
        return np.full(len(segment), condition.operand is True)
    found = np.zeros(len(segment), np.bool_)
    assert isinstance(condition.operand, tuple)  # noqa: S101  # the parser made it so
    rows = [segment.find(str(product_id)) for product_id in condition.operand]
    found[[row for row in rows if row is not None]] = True
    return found


def _words(column: Keywords, words: list[str], *, every: bool) -> Mask:
    hits = np.zeros(len(column.offsets) - 1, np.int16)
    for word in words:
        hits[column.rows_of(word)] += 1
    found: Mask = hits >= (len(words) if every else 1)
    return found


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
}


def _numbers(column: Numbers, condition: Condition) -> Mask:
    operand: Any = condition.operand
    if condition.operator == "in":
        return (
            np.isin(column.values, np.asarray(operand).astype(column.values.dtype)) & column.present
        )
    bound = microseconds(operand) if isinstance(operand, datetime) else operand
    found: Mask = _COMPARISONS[condition.operator](column.values, bound) & column.present
    return found
