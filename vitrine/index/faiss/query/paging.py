"""A page: the next entries of a candidate set and what belongs to all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import islice

from vitrine.index.faiss.query.facets import Selection
from vitrine.index.faiss.query.ordering import Entry

__all__ = ["Page", "next_entries"]


@dataclass(frozen=True, eq=False)
class Page:
    """`key` identifies the whole set within its state, `selections` gives its rows, `more` tells that entries follow."""

    entries: tuple[Entry, ...]
    more: bool
    total: int
    key: Hashable
    selections: Callable[[], list[Selection]]
    search: str = "browse"
    floor: tuple[float, str] | None = None


def next_entries(rest: Iterator[Entry], limit: int) -> tuple[tuple[Entry, ...], bool]:
    """The next `limit` of the entries that remain, and whether more follow."""
    taken = tuple(islice(rest, limit + 1))
    return taken[:limit], len(taken) > limit
