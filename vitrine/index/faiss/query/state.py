"""What a process knows of a version at one moment: segments, and which of their rows are live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vitrine.filters import Filter
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.lru_cache import SizedLRUCache
from vitrine.index.faiss.query.filters import filter_mask
from vitrine.index.faiss.records.changes import Change
from vitrine.index.faiss.segment import Segment

__all__ = ["LiveSegment", "MergedSegments", "State"]

CACHE_BYTES = 16_000_000
"""Memory for candidate sets, facets and answers kept for further pages and repeated queries: of
300 answers or more, as products that several of them show are counted with each."""
PRODUCT_CACHE_BYTES = 8_000_000
"""Memory for products read last: shoppers ask for the same ones in many words."""
MERGE_FACTOR = 4
"""Segments are merged with the one before when that has at most so many times their rows."""


@dataclass(frozen=True, eq=False)
class LiveSegment:
    """A segment and which of its rows are neither replaced nor deleted; not to be written to."""

    segment: Segment
    live: Mask

    @classmethod
    def of(cls, segment: Segment) -> LiveSegment:
        """The segment with all its rows."""
        return cls(segment, np.ones(len(segment), np.bool_))

    def without(self, rows: Sequence[int]) -> LiveSegment:
        """The segment with these rows dead."""
        if not rows:
            return self
        live = self.live.copy()
        live[list(rows)] = False
        return LiveSegment(self.segment, live)


@dataclass(frozen=True, eq=False)
class State:
    """The segments in write order and the last write they know.

    `cache` holds results that are true of this state only, `products` those by the numbers of
    their writes, which are true of the states that follow as well.
    """

    segments: tuple[LiveSegment, ...]
    seq: int
    cache: SizedLRUCache = field(default_factory=lambda: SizedLRUCache(CACHE_BYTES))
    products: SizedLRUCache = field(default_factory=lambda: SizedLRUCache(PRODUCT_CACHE_BYTES))

    def masks(
        self, tree: Filter, *, as_of: int | None = None, exclude: frozenset[str] = frozenset()
    ) -> list[Mask]:
        """Of each segment the live rows under the filter that were written by `as_of`."""
        masks = [filter_mask(tree, entry.segment) & entry.live for entry in self.segments]
        for entry, mask in zip(self.segments, masks, strict=True):
            if as_of is not None and as_of < self.seq:
                mask[np.searchsorted(entry.segment.seqs, as_of, side="right") :] = False
            for product_id in exclude:
                row = entry.segment.find(product_id)
                if row is not None:
                    mask[row] = False
        return masks

    def with_changes(self, changes: Sequence[Change], *, seq: int, layout: Layout) -> State:
        """The state that knows the changes as well."""
        segments = [entry.without(_rows(entry.segment, changes)) for entry in self.segments]
        if any(change.product is not None for change in changes):
            segments.append(LiveSegment.of(Segment.of(changes, layout)))
        return State(tuple(segments), seq, products=self.products)

    def small_segments(self) -> tuple[LiveSegment, ...]:
        """The segments at the end that should become one, so that their number grows with the
        logarithm of the writes; none where they are few enough.

        The first one stays: it is mapped from a snapshot.
        """
        later = 0
        start = len(self.segments)
        for place in range(len(self.segments) - 1, 0, -1):
            rows = len(self.segments[place].segment)
            if rows <= MERGE_FACTOR * later:
                start = place
            later += rows
        return self.segments[start:]

    def with_merged(self, merged: MergedSegments) -> State:
        """The state with one segment in place of those it was made of, where it still has them.

        Rows that have died meanwhile are dead in it as well.
        """
        segments = [entry.segment for entry in self.segments]
        if merged.parts[0] not in segments:
            return self
        start = segments.index(merged.parts[0])
        end = start + len(merged.parts)
        live = [e.live[rows] for e, rows in zip(self.segments[start:end], merged.rows, strict=True)]
        entry = LiveSegment(merged.segment, np.concatenate(live))
        around = self.segments[:start], self.segments[end:]
        segments_now = (*around[0], *([entry] if len(entry.live) else []), *around[1])
        return State(segments_now, self.seq, products=self.products)


@dataclass(frozen=True, eq=False)
class MergedSegments:
    """One segment of the given rows of several."""

    parts: tuple[Segment, ...]
    rows: tuple[Ints, ...]
    segment: Segment

    @classmethod
    def of(cls, entries: Sequence[LiveSegment], layout: Layout) -> MergedSegments:
        """The live rows of all."""
        parts = tuple(entry.segment for entry in entries)
        rows = tuple(np.flatnonzero(entry.live) for entry in entries)
        return cls(parts, rows, Segment.merged(list(zip(parts, rows, strict=True)), layout))


def _rows(segment: Segment, changes: Sequence[Change]) -> list[int]:
    return [row for change in changes if (row := segment.find(change.id)) is not None]
