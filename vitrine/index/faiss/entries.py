"""Places in a candidate set."""

from __future__ import annotations

from dataclasses import dataclass

from vitrine.index.faiss.order import Key, Raw, key_of, raw_of
from vitrine.index.faiss.segment import Segment
from vitrine.queries import Sort

__all__ = ["Entry"]


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
