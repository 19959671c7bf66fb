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

__all__ = ["filter_mask"]


def filter_mask(tree: Filter, segment: Segment) -> Mask:
    """Which rows fulfill the filter; cached with the segment, so not to be written to."""
    return segment.cache.get(tree, lambda: _evaluate(tree, segment), nbytes=_nbytes)


def _nbytes(mask: Mask) -> int:
    return mask.nbytes + 100


def _evaluate(tree: Filter, segment: Segment) -> Mask:
    if isinstance(tree, Condition):
        return _condition(tree, segment)
    if isinstance(tree, Not):
        return ~filter_mask(tree.part, segment)
    combine: Any = np.logical_or if isinstance(tree, AnyOf) else np.logical_and
    mask = np.full(len(segment), isinstance(tree, All))
    for part in tree.parts:
        combine(mask, filter_mask(part, segment), out=mask)
    return mask


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
        words = [str(word) for word in operand]
        return _words(column, words, least=len(words) if condition.operator == "match" else 1)
    assert isinstance(column, Numbers)  # noqa: S101  # the layout made it so
    return _numbers(column, condition)


def _ids(condition: Condition, segment: Segment) -> Mask:
    if condition.operator == "exists":
        return np.full(len(segment), condition.operand is True)
    mask = np.zeros(len(segment), np.bool_)
    assert isinstance(condition.operand, tuple)  # noqa: S101  # the parser made it so
    rows = [segment.find(str(product_id)) for product_id in condition.operand]
    mask[[row for row in rows if row is not None]] = True
    return mask


def _words(column: Keywords, words: list[str], *, least: int) -> Mask:
    """The rows that have at least so many of the words."""
    counts = np.zeros(len(column.offsets) - 1, np.int16)
    for word in words:
        counts[column.rows_of(word)] += 1
    mask: Mask = counts >= least
    return mask


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
}


def _numbers(column: Numbers, condition: Condition) -> Mask:
    operand: Any = condition.operand
    if condition.operator == "in":
        operands = np.asarray(operand).astype(column.values.dtype)
        return np.isin(column.values, operands) & column.present
    bound = microseconds(operand) if isinstance(operand, datetime) else operand
    mask: Mask = _COMPARISONS[condition.operator](column.values, bound) & column.present
    return mask
