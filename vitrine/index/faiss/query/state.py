"""What a process knows of a version at one moment: its segments and which of their rows are still true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vitrine.filters import Filter
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.lru_cache import Recent
from vitrine.index.faiss.query.filters import matching
from vitrine.index.faiss.records.store import Change
from vitrine.index.faiss.segment import Segment

__all__ = ["Part", "State"]

RECENT_BYTES = 32_000_000
"""Memory for candidate sets and facets kept for further pages and repeated queries."""
MERGE_FACTOR = 4
"""A segment is merged into the one before it when that is at most so many times larger."""


@dataclass(frozen=True, eq=False)
class Part:
    """A segment and which of its rows are neither replaced nor deleted; not to be written to."""

    segment: Segment
    alive: Mask

    def without(self, rows: Sequence[int]) -> Part:
        """The part with these rows dead."""
        if not rows:
            return self
        alive = self.alive.copy()
        alive[list(rows)] = False
        return Part(self.segment, alive)


@dataclass(frozen=True, eq=False)
class State:
    """The parts in write order and the last write they know; `recent` holds results that are true of this state only."""

    parts: tuple[Part, ...]
    seq: int
    recent: Recent = field(default_factory=lambda: Recent(RECENT_BYTES))

    def masks(
        self, tree: Filter, *, as_of: int | None = None, exclude: frozenset[str] = frozenset()
    ) -> list[Mask]:
        """For each part the rows that are alive, fulfil the filter, were written by `as_of` and are not excluded."""
        found = [matching(tree, part.segment) & part.alive for part in self.parts]
        if as_of is not None and as_of < self.seq:
            for part, mask in zip(self.parts, found, strict=True):
                mask[np.searchsorted(part.segment.seqs, as_of, side="right") :] = False
        for product_id in exclude:
            for part, mask in zip(self.parts, found, strict=True):
                row = part.segment.find(product_id)
                if row is not None:
                    mask[row] = False
        return found

    def after(self, changes: Sequence[Change], *, seq: int, layout: Layout) -> State:
        """The state that knows the changes as well."""
        parts = [part.without(_rows(part.segment, changes)) for part in self.parts]
        if any(c.product is not None for c in changes):
            segment = Segment.of(changes, layout)
            parts.append(Part(segment, np.ones(len(segment), np.bool_)))
        return State(tuple(_tidied(parts, layout)), seq)


def _rows(segment: Segment, changes: Sequence[Change]) -> list[int]:
    return [row for change in changes if (row := segment.find(change.id)) is not None]


def _tidied(parts: list[Part], layout: Layout) -> Iterator[Part]:
    """Merge small segments at the end, so that their number grows with the logarithm of the writes; the mapped first one stays."""
    while len(parts) > 2 and len(parts[-2].segment) <= MERGE_FACTOR * len(parts[-1].segment):
        rows = [(p.segment, np.flatnonzero(p.alive)) for p in parts[-2:]]
        merged = Segment.merged(rows, layout)
        parts[-2:] = [Part(merged, np.ones(len(merged), np.bool_))]
    yield from (p for i, p in enumerate(parts) if i == 0 or len(p.segment))
