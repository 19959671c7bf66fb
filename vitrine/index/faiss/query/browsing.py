"""The candidate set without a vector: every product under the filter, in the order of the sort."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.collapse import collapsed, group_numbers
from vitrine.index.faiss.query.facets import SelectedRows
from vitrine.index.faiss.query.ordering import Entry, SortKey, rows_in_order
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.segment import Segment
from vitrine.index.ports import IndexQuery
from vitrine.queries import Sort

__all__ = ["BrowseSet", "browse"]


@dataclass(frozen=True, eq=False)
class BrowseSet:
    """Rows of several segments."""

    segments: list[Segment]
    masks: list[Mask]
    sort: Sort
    every: list[Mask]
    """The same before a collapse."""
    collapse: str | None = None

    @cached_property
    def total(self) -> int:
        """How many rows there are."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks)

    def nbytes(self) -> int:
        """Bytes of memory."""
        return 2 * sum(mask.nbytes for mask in self.masks) + 500

    def selections(self) -> list[SelectedRows]:
        """The rows by segment that facets count, with their groups where these are counted."""
        rows = [np.flatnonzero(mask) for mask in self.every]
        if self.collapse is None:
            return [SelectedRows(s, own) for s, own in zip(self.segments, rows, strict=True)]
        groups = group_numbers(self.segments, rows, self.collapse)
        return [SelectedRows(*parts) for parts in zip(self.segments, rows, groups, strict=True)]

    def after(self, key: SortKey | None) -> Iterator[Entry]:
        """The rows in order, from the first one after a key."""
        streams = [
            self._entries(segment, mask, key)
            for segment, mask in zip(self.segments, self.masks, strict=True)
        ]
        return heapq.merge(*streams, key=lambda entry: entry.key)

    def _entries(self, segment: Segment, mask: Mask, after: SortKey | None) -> Iterator[Entry]:
        for row in rows_in_order(segment, mask, self.sort, after=after):
            yield Entry(segment, row, self.sort)


def browse(state: State, masks: list[Mask], query: IndexQuery) -> BrowseSet:
    """The rows of the masks, collapsed."""
    segments = [entry.segment for entry in state.segments]
    if query.collapse is None or query.collapse == ID:
        return BrowseSet(segments, masks, query.sort, masks)
    firsts = collapsed(segments, masks, field=query.collapse, sort=query.sort)
    return BrowseSet(segments, firsts, query.sort, masks, query.collapse)
