"""Places in a candidate set."""

from __future__ import annotations

from dataclasses import dataclass

from vitrine.index.faiss.order import Key, Raw, key_of, raw_of
from vitrine.index.faiss.segment import Segment
from vitrine.queries import Sort

__all__ = ["Entry", "entry_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A row of a segment, what it is ordered by, and its score (None when browsing)."""

    key: Key
    raw: Raw
    segment: Segment
    row: int
    score: float | None


def entry_of(segment: Segment, row: int, score: float | None, sort: Sort) -> Entry:
    """The entry of a row under a sort."""
    raw = score if sort.field is None else raw_of(segment, row, sort)
    return Entry(key_of(raw, segment.id(row), sort), raw, segment, row, score)
