"""What a process knows of a version at one moment: segments, and which of their rows are live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vitrine.filters import Filter
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.lru_cache import SizedLRUCache
from vitrine.index.faiss.query.filters import filter_mask
from vitrine.index.faiss.records.changes import Change
from vitrine.index.faiss.segment import Segment

__all__ = ["LiveSegment", "State"]

CACHE_BYTES = 32_000_000
"""Memory for candidate sets and facets kept for further pages and repeated queries."""
MERGE_FACTOR = 4
"""A segment is merged into the one before it when that is at most so many times larger."""


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

    `cache` holds results that are true of this state only.
    """

    segments: tuple[LiveSegment, ...]
    seq: int
    cache: SizedLRUCache = field(default_factory=lambda: SizedLRUCache(CACHE_BYTES))

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
        return State(tuple(_merged(segments, layout)), seq)


def _rows(segment: Segment, changes: Sequence[Change]) -> list[int]:
    return [row for change in changes if (row := segment.find(change.id)) is not None]


def _merged(segments: list[LiveSegment], layout: Layout) -> Iterator[LiveSegment]:
    """Merge small segments at the end, so that their number grows with the logarithm of the writes.

    The first one stays: it is mapped from a snapshot.
    """
    while len(segments) > 2 and len(segments[-2].segment) <= MERGE_FACTOR * len(
        segments[-1].segment
    ):
        rows = [(entry.segment, np.flatnonzero(entry.live)) for entry in segments[-2:]]
        segments[-2:] = [LiveSegment.of(Segment.merged(rows, layout))]
    yield from (entry for i, entry in enumerate(segments) if i == 0 or len(entry.segment))
