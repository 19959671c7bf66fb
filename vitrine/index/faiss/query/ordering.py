"""Orders of products: keys that compare across segments, and the rows of a segment in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import TITLE_ORDER
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.queries import Sort

__all__ = [
    "Entry",
    "SortKey",
    "SortValue",
    "ordered_rows",
    "rows_in_order",
    "sort_key",
    "sort_value",
]

SortValue: TypeAlias = float | str | None
"""What a product is ordered by, before its id; None where it lacks the value."""
SortKey: TypeAlias = tuple[bool, Any, str]
"""Compares as products are ordered: missing last, by value in the sort's direction, then by id."""

_FIRST_CHUNK = 256


@total_ordering
@dataclass(frozen=True, slots=True)
class _Descending:
    text: str

    def __lt__(self, other: _Descending) -> bool:
        return other.text < self.text


def sort_key(value: SortValue, product_id: str, sort: Sort) -> SortKey:
    """The key of a product; for RELEVANCE `value` is the score, or None when browsing."""
    descending = sort.descending or sort.field is None
    if value is None:
        return (True, 0, product_id)
    if isinstance(value, str):
        return (False, _Descending(value) if descending else value, product_id)
    return (False, -value if descending else value, product_id)


def sort_value(segment: Segment, row: int, sort: Sort) -> SortValue:
    """What a row is ordered by under a sort that names a field; None without one."""
    if sort.field is None:
        return None
    if sort.field == "title":
        return segment.ordered(TITLE_ORDER).texts[row]
    numbers = segment.numbers(sort.field)
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
        if self.sort.field is None:
            return self.score
        return sort_value(self.segment, self.row, self.sort)

    @property
    def key(self) -> SortKey:
        """What it is ordered by."""
        return sort_key(self.value, self.segment.id(self.row), self.sort)


def ordered_rows(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    """All rows of a segment in order (browsing by RELEVANCE is by id); cached with the segment."""
    if sort.field is None:
        return segment.ids.order
    return segment.cache.get(sort, lambda: _sorted(segment, sort), nbytes=_nbytes)


def _nbytes(rows: NDArray[np.int32]) -> int:
    return rows.nbytes


def _sorted(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    if sort.field == "title":
        values: NDArray[Any] = segment.ordered(TITLE_ORDER).ranks
        missing = np.zeros(len(values), np.bool_)
    else:
        column = segment.numbers(str(sort.field))
        missing = ~column.present
        values = np.where(missing, 0, column.values)
    order = np.lexsort((segment.ids.ranks, -values if sort.descending else values, missing))
    return order.astype(np.int32)


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
