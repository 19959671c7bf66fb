"""Filters over a segment's columns: a tree becomes a mask of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from vitrine.fields.schema import Field, FieldType
from vitrine.filters import All, AnyOf, Condition, Filter, Not, folded_value, folded_words
from vitrine.index.faiss.columns.layout import ID, written
from vitrine.index.faiss.columns.types import Keywords, Mask, Numbers
from vitrine.index.faiss.segment import Segment
from vitrine.index.sort_values import microseconds

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
        texts = [str(text) for text in operand]
        return (
            _has_all(column, texts)
            if condition.operator == "match"
            else _has_any(column, texts, field)
        )
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


def _has_all(column: Keywords, texts: list[str]) -> Mask:
    """The rows that have every word of the texts."""
    mask = np.full(len(column.offsets) - 1, True)
    for word in {word for text in texts for word in folded_words(text)}:
        having = np.zeros(len(mask), np.bool_)
        having[column.rows_of(word)] = True
        mask &= having
    return mask


def _has_any(column: Keywords, texts: list[str], field: Field) -> Mask:
    """The rows that have a value which is one of the texts when folded."""
    form = partial(folded_value, field)
    mask = np.zeros(len(column.offsets) - 1, np.bool_)
    for text in texts:
        mask[column.rows_alike(form(text), form)] = True
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
