"""A page: the next entries of a candidate set and what belongs to all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import islice

from vitrine.index.faiss.entries import Entry
from vitrine.index.faiss.facets import Selection

__all__ = ["Page", "cut_page"]


@dataclass(frozen=True, eq=False)
class Page:
    """`key` identifies the whole set within its state, `selections` gives its rows, `more` tells that entries follow."""

    entries: tuple[Entry, ...]
    more: bool
    total: int
    key: Hashable
    selections: Callable[[], list[Selection]]
    search: str
    floor: tuple[float, str] | None


def cut_page(
    rest: Iterator[Entry],
    limit: int,
    *,
    total: int,
    key: Hashable,
    selections: Callable[[], list[Selection]],
    search: str = "browse",
    floor: tuple[float, str] | None = None,
) -> Page:
    """The next `limit` of the entries that remain, and what belongs to the whole set."""
    taken = tuple(islice(rest, limit + 1))
    return Page(taken[:limit], len(taken) > limit, total, key, selections, search, floor)
