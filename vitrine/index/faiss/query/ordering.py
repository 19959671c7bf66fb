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

__all__ = ["Entry", "Key", "Raw", "key_of", "ordered_rows", "raw_of", "walk_in_order"]

Raw: TypeAlias = float | str | None
"""What a product is ordered by, before its id; None where it lacks the value."""
Key: TypeAlias = tuple[bool, Any, str]
"""Compares as products are ordered: missing last, then by value in the sort's direction, then by id."""

_FIRST_CHUNK = 256


@total_ordering
@dataclass(frozen=True, slots=True)
class _Descending:
    text: str

    def __lt__(self, other: _Descending) -> bool:
        return other.text < self.text


def key_of(raw: Raw, product_id: str, sort: Sort) -> Key:
    """The key of a product; for RELEVANCE `raw` is the score, or None when browsing."""
    descending = sort.descending or sort.field is None
    if raw is None:
        return (True, 0, product_id)
    if isinstance(raw, str):
        return (False, _Descending(raw) if descending else raw, product_id)
    return (False, -raw if descending else raw, product_id)


def raw_of(segment: Segment, row: int, sort: Sort) -> Raw:
    """What a row is ordered by under a sort that names a field; None without one."""
    if sort.field is None:
        return None
    if sort.field == "title":
        return segment.ordered(TITLE_ORDER).texts[row]
    numbers = segment.numbers(sort.field)
    found: float = numbers.values[row].item()
    return found if numbers.present[row] else None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A row of a segment under a sort, and its score (None when browsing)."""

    segment: Segment
    row: int
    score: float | None
    sort: Sort

    @property
    def raw(self) -> Raw:
        """What it is ordered by, before its id."""
        return self.score if self.sort.field is None else raw_of(self.segment, self.row, self.sort)

    @property
    def key(self) -> Key:
        """What it is ordered by."""
        return key_of(self.raw, self.segment.id(self.row), self.sort)


def ordered_rows(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    """All rows of a segment in order (browsing by RELEVANCE is by id); kept with the segment."""
    if sort.field is None:
        return segment.ids.order
    return segment.recent.get(sort, lambda: _sorted(segment, sort), weight=lambda rows: rows.nbytes)


def _sorted(segment: Segment, sort: Sort) -> NDArray[np.int32]:
    if sort.field == "title":
        values: NDArray[Any] = segment.ordered(TITLE_ORDER).ranks
        missing = np.zeros(len(values), np.bool_)
    else:
        column = segment.numbers(str(sort.field))
        missing = ~column.present
        values = np.where(missing, 0, column.values)
    return np.lexsort((segment.ids.ranks, -values if sort.descending else values, missing)).astype(
        np.int32
    )


def walk_in_order(segment: Segment, mask: Mask, sort: Sort, *, after: Key | None) -> Iterator[int]:
    """The rows of the mask in order, from the first one after a key; lazily, so a page costs little."""
    order = ordered_rows(segment, sort)

    def key(row: int) -> Key:
        return key_of(raw_of(segment, row, sort), segment.id(row), sort)

    start = 0 if after is None else bisect_right(order, after, key=lambda row: key(int(row)))
    size = _FIRST_CHUNK
    while start < len(order):
        chunk = order[start : start + size]
        yield from chunk[mask[chunk]].tolist()
        start, size = start + size, size * 4
