"""A page: the next entries of a candidate set and what belongs to all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.browsing import BrowseSet, browse
from vitrine.index.faiss.query.candidates import (
    CandidateSet,
    find_candidates,
    needed_prefix,
    ordered_prefix,
    sort_candidates,
)
from vitrine.index.faiss.query.facets import SelectedRows
from vitrine.index.faiss.query.fused import FusedSet, find_fused
from vitrine.index.faiss.query.ordering import Entry, SortKey, sort_key
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.query.ranking import Ranking
from vitrine.index.faiss.query.state import State
from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.products import Vector

__all__ = ["EntryPage", "find_page"]


@dataclass(frozen=True, eq=False)
class EntryPage:
    """Entries in order, and whether more follow.

    `key` identifies the whole set within its state, `selections` gives its rows, `lowest_candidate`
    its end as a `PageToken` carries it.
    """

    entries: tuple[Entry, ...]
    more: bool
    total: int
    key: Hashable
    selections: Callable[[], list[SelectedRows]]
    search: str = "browse"
    lowest_candidate: tuple[float, str] | None = None
    best_words: tuple[float, ...] = ()
    beyond: int = 0


def find_page(state: State, query: IndexQuery, planner: Planner) -> EntryPage:
    """The page that the query asks for; its set is cached with the state for further pages."""
    if query.fusion is not None:
        return _page_of_fused(state, query, query.fusion, planner)
    if query.vector is None:
        return _page_of_all(state, query)
    return _page_of_best(state, query, query.vector, planner)


def _page_of_all(state: State, query: IndexQuery) -> EntryPage:
    key = ("all", *_filter_key(state, query), query.sort, query.collapse)
    browsed = state.cache.get(
        key, lambda: browse(state, _masks(state, query), query), nbytes=BrowseSet.nbytes
    )
    entries, more = _next_entries(browsed.after(_search_after(query)), query.limit)
    return EntryPage(entries, more, browsed.total, key, browsed.selections)


def _page_of_best(state: State, query: IndexQuery, vector: Vector, planner: Planner) -> EntryPage:
    key: tuple[Hashable, ...] = (
        "best",
        *_filter_key(state, query),
        vector.tobytes(),
        query.candidates,
        needed_prefix(query),
        query.min_score,
    )
    candidates = state.cache.get(
        key,
        lambda: find_candidates(state, _masks(state, query), query, vector, planner),
        nbytes=CandidateSet.nbytes,
    )
    lowest = None if query.page_token is None else query.page_token.lowest_candidate
    if lowest == candidates.lowest:
        lowest = None
    key = (*key, query.sort, query.collapse, lowest)
    ranking = state.cache.get(
        key, lambda: sort_candidates(candidates.above(lowest), query), nbytes=Ranking.nbytes
    )
    entries, more = _next_entries(ranking.after(_search_after(query), query.sort), query.limit)
    return EntryPage(
        entries,
        more,
        len(ranking) if candidates.total is None else candidates.total,
        key,
        _counted(candidates.above(lowest), ranking, query),
        candidates.search,
        candidates.lowest,
    )


def _page_of_fused(state: State, query: IndexQuery, fusion: Fusion, planner: Planner) -> EntryPage:
    token = query.page_token
    set_key: tuple[Hashable, ...] = (
        "fused",
        *_filter_key(state, query),
        None if query.vector is None else query.vector.tobytes(),
        fusion,
        query.candidates,
        needed_prefix(query),
        ordered_prefix(query),
        None if token is None else (token.lowest_candidate, token.best_words),
    )
    fused = state.cache.get(
        set_key,
        lambda: find_fused(state, _masks(state, query), query, fusion, planner),
        nbytes=FusedSet.nbytes,
    )
    key = (*set_key, query.sort, query.collapse)
    ranking = state.cache.get(
        key, lambda: sort_candidates(fused.ranking, query), nbytes=Ranking.nbytes
    )
    entries, more = _next_entries(ranking.after(_search_after(query), query.sort), query.limit)
    return EntryPage(
        entries,
        more,
        fused.total if len(ranking) == len(fused.ranking) else len(ranking),
        key,
        _counted(fused.ranking, ranking, query),
        fused.search,
        fused.lowest,
        fused.best_words,
        fused.beyond,
    )


def _counted(
    candidates: Ranking, ranking: Ranking, query: IndexQuery
) -> Callable[[], list[SelectedRows]]:
    """The rows that facets count: under `collapse` all variants of each group, as groups."""
    if query.collapse is None or query.collapse == ID:
        return ranking.selections
    return partial(candidates.grouped_selections, query.collapse)


def _filter_key(state: State, query: IndexQuery) -> tuple[Hashable, ...]:
    return (query.filter, query.exclude, _as_of(state, query))


def _masks(state: State, query: IndexQuery) -> list[Mask]:
    return state.masks(query.filter, as_of=_as_of(state, query), exclude=query.exclude)


def _as_of(state: State, query: IndexQuery) -> int:
    token = query.page_token
    return state.seq if token is None else min(token.as_of, state.seq)


def _search_after(query: IndexQuery) -> SortKey | None:
    token = query.page_token
    return None if token is None else sort_key(*token.search_after, query.sort)


def _next_entries(rest: Iterator[Entry], limit: int) -> tuple[tuple[Entry, ...], bool]:
    """The next `limit` of the entries that remain, and whether more follow."""
    entries = tuple(islice(rest, limit + 1))
    return entries[:limit], len(entries) > limit
