"""Orders of products: keys that compare across segments, and the rows of a segment in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import TITLE_ORDER
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.sort_values import Descending
from vitrine.queries import Sort, SortValue

__all__ = [
    "Entry",
    "SortKey",
    "directed",
    "ordered_rows",
    "rows_in_order",
    "sort_key",
    "sort_value",
]

SortKey: TypeAlias = tuple[Any, ...]
"""Compares as products are ordered: for each key of the sort missing last and the value in its
direction, then the id."""

_FIRST_CHUNK = 256


def sort_key(value: SortValue, product_id: str, sort: Sort) -> SortKey:
    """The key of a product; for RELEVANCE `value` is the score, or None when browsing."""
    parts: list[Any] = []
    values = value if isinstance(value, tuple) else (value,)
    for key, part in zip(sort.keys, values, strict=True):
        descending = key.descending or key.field is None
        if part is None:
            parts += (True, 0)
        elif isinstance(part, str):
            parts += (False, Descending(part) if descending else part)
        else:
            parts += (False, -part if descending else part)
    return (*parts, product_id)


def sort_value(segment: Segment, row: int, sort: Sort, score: float | None = None) -> SortValue:
    """What a row is ordered by; `score` is what relevance is."""
    values = [score if k.field is None else _value(segment, row, k.field) for k in sort.keys]
    return values[0] if sort.then is None else tuple(values)


def _value(segment: Segment, row: int, field: str) -> float | str | None:
    if field == "title":
        return segment.ordered(TITLE_ORDER).texts[row]
    numbers = segment.numbers(field)
    value: float = numbers.values[row].item()
    return value if numbers.present[row] else None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A row of a segment under a sort.

    Its score and the picture that has it, None when browsing.
    """

    segment: Segment
    row: int
    sort: Sort
    score: float | None = None
    image: int | None = None

    @property
    def value(self) -> SortValue:
        """What it is ordered by, before its id."""
        return sort_value(self.segment, self.row, self.sort, self.score)

    @property
    def key(self) -> SortKey:
        """What it is ordered by."""
        return sort_key(self.value, self.segment.id(self.row), self.sort)


def ordered_rows(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    """All rows of a segment in order (browsing by RELEVANCE is by id); cached with the segment."""
    if all(key.field is None for key in sort.keys):
        return segment.ids.order
    return segment.cache.get(sort, lambda: _sorted(segment, sort), nbytes=_nbytes)


def _nbytes(rows: NDArray[np.int32]) -> int:
    return rows.nbytes


def _sorted(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    columns: list[NDArray[Any]] = []
    for key in sort.keys:
        if key.field is None:
            continue  # without a vector all are equally near
        if key.field == "title":
            values, missing = segment.ordered(TITLE_ORDER).ranks, None
        else:
            column = segment.numbers(key.field)
            values, missing = column.values, ~column.present
        columns += directed(values, missing, key)
    return np.lexsort((segment.ids.ranks, *reversed(columns))).astype(np.int32)


def directed(values: NDArray[Any], missing: Mask | None, key: Sort) -> tuple[NDArray[Any], ...]:
    """The columns of one key, the one that counts most first: what is missing, last either way,
    and the values as they ascend."""
    if missing is None:
        return (-values if key.descending else values,)
    present = np.where(missing, 0, values)
    return missing, -present if key.descending else present


def rows_in_order(
    segment: Segment, mask: Mask, sort: Sort, *, after: SortKey | None
) -> Iterator[int]:
    """The rows of the mask in order, from the first one after a key; a page reads a few chunks."""
    order = ordered_rows(segment, sort)

    def key(row: int) -> SortKey:
        return sort_key(sort_value(segment, row, sort), segment.id(row), sort)

    start = 0 if after is None else bisect_right(order, after, key=lambda row: key(int(row)))
    size = _FIRST_CHUNK
    while start < len(order):
        chunk = order[start : start + size]
        yield from chunk[mask[chunk]].tolist()
        start, size = start + size, size * 4
