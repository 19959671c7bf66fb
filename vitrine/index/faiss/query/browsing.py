"""The candidate set without a vector: every product under the filter, in the order of the query's sort."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.collapse import collapsed
from vitrine.index.faiss.query.facets import Selection
from vitrine.index.faiss.query.ordering import Entry, Key, walk_in_order
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.segment import Segment
from vitrine.index.ports import IndexQuery
from vitrine.queries import Sort

__all__ = ["Browsed", "browse"]


@dataclass(frozen=True, eq=False)
class Browsed:
    """Rows of several segments."""

    segments: list[Segment]
    masks: list[Mask]
    sort: Sort

    @cached_property
    def total(self) -> int:
        """How many rows there are."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks)

    def weigh(self) -> int:
        """Bytes of memory."""
        return sum(mask.nbytes for mask in self.masks) + 500

    def selections(self) -> list[Selection]:
        """The rows by segment."""
        return [
            Selection(segment, np.flatnonzero(mask))
            for segment, mask in zip(self.segments, self.masks, strict=True)
        ]

    def after(self, key: Key | None) -> Iterator[Entry]:
        """The rows in order, from the first one after a key."""
        walks = [
            self._walk(segment, mask, key)
            for segment, mask in zip(self.segments, self.masks, strict=True)
        ]
        return heapq.merge(*walks, key=lambda entry: entry.key)

    def _walk(self, segment: Segment, mask: Mask, after: Key | None) -> Iterator[Entry]:
        return (
            Entry(segment, row, None, self.sort)
            for row in walk_in_order(segment, mask, self.sort, after=after)
        )


def browse(state: State, masks: list[Mask], query: IndexQuery) -> Browsed:
    """The rows of the masks, collapsed."""
    segments = [part.segment for part in state.parts]
    if query.collapse is not None and query.collapse != ID:
        masks = collapsed(segments, masks, field=query.collapse, sort=query.sort)
    return Browsed(segments, masks, query.sort)
