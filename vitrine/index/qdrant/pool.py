"""Every product that may belong to the set of a fused query, found by a threshold algorithm (Fagin,
Lotem and Naor 2003, "Optimal aggregation algorithms for middleware").

Qdrant lists the products with the best score for each signal: the nearest by their pictures, those
that match the query's words best, and, where the version keeps them, the nearest by their words'
vectors. A score that one list lacks for a product of another one is read by its id. A
product in no list scores for each signal at most what the last one of that list does; and since
order values rise with every signal, no such product is better than the value of these ends. When
that is below what the set takes (its least value, or the value of the last of enough candidates),
everything that may belong to it has been seen; until then longer lists are read. A first page by
relevance needs only the best products of a full set: there the value of the page's last one is
enough.

One round of lists and one of missing scores are two requests for searches in all, beside the
counts, which are requested at the same time. Products that match no word are ordered by their
vectors alone, so once all that match a word are listed, the nearest `candidates` are enough. Where
more match a word than are listed, the second round lists the nearest of those as well. Products
that tie by their words alone where that list ends need not be listed: see `word_ties`.

Products that the query names exactly come before all others. So the same lists are read of them
too; where they are more than the set takes, these are all that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.index.qdrant.best_words import BestWords
from vitrine.index.qdrant.filters import equal, every, translate
from vitrine.index.qdrant.ordered_reading import ID_LEVELS
from vitrine.index.qdrant.payload import KEYS
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.points import Points
from vitrine.index.qdrant.pool_reading import PoolReading
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.ranked_lists import RankedList, RankedLists
from vitrine.index.qdrant.ranking import SPARE_CANDIDATES, needs_members
from vitrine.index.qdrant.scope import conditions_of, filter_of
from vitrine.index.qdrant.signals import OrderValues, SignalTable, channels_of
from vitrine.index.qdrant.word_ties import Scope, TiedProducts
from vitrine.relevance import QueryRelevance

__all__ = ["Pool", "PoolSearch"]

_PAGE_SPARE = 8
"""Products beyond a page that are certain to follow it, for those that are deleted meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstRound:
    """What the first round of requests answers beside its lists."""

    best_words: tuple[float, ...]
    """Highest core words scores, of the query and of each negative; see `PageToken`."""
    named: frozenset[str]
    """Points that the query names exactly, where these are not all of the lists."""
    all_named: bool
    """Whether the lists are of products that the query names exactly: more of them than the set
    takes."""
    matching: int
    """Products under the query's filter."""
    under_filter: int
    """Those of them that may be in the answer: not excluded, and on later pages not newer."""
    least_piece: int | None
    """The first piece of the least id of those; None where it was not asked for."""

    def is_named(self, point_id: str) -> bool:
        """Whether the query names a point of the lists exactly."""
        return self.all_named or point_id in self.named


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """All that may belong to the set, and what was read with it."""

    values: OrderValues
    tied: TiedProducts
    relevance: QueryRelevance
    first: FirstRound
    exact: bool


class PoolSearch:
    """Looks for everything that may belong to the sets of fused queries."""

    def __init__(self, points: Points, plans: PlanMemory, *, texts: bool, shards: int) -> None:
        self._points = points
        self._plans = plans
        self._texts = texts
        self._shards = shards
        self._best_words = BestWords(points)

    def find(self, query: IndexQuery, fusion: Fusion) -> Pool:
        """The pool of a query."""
        exact = self._plans.exact(query.filter)
        if exact is None:
            matching = self._points.count(every(translate(query.filter)))
            exact = self._plans.learn(query.filter, matching)
        channels = channels_of(query.vector, fusion.words, texts=self._texts)
        limit = query.candidates + SPARE_CANDIDATES
        unread = tuple(RankedList(channel, limit) for channel in channels)
        lists = RankedLists(unread, filter_of(query), exact, self._shards)
        # how well words can do is not known yet: as if they could do nothing, which lets more in
        lists = lists.ending_at(fusion.least, fusion.relevance(query.vector, 0.0))
        lists, first = self._first_round(query, fusion, lists)
        relevance = fusion.relevance(query.vector, first.best_words[0])
        scope = Scope(
            lists.where, lists.named, first.under_filter, query.candidates, first.least_piece
        )
        table = SignalTable(channels, set(first.named), lists.named)
        reading = PoolReading(lists, table, relevance, scope)
        while True:
            target = _target(query, fusion, reading.table, relevance)
            requests = reading.requests(target)
            if not requests:
                values, tied = reading.values(target, fusion.words, self._points.nearest)
                return Pool(values, tied, relevance, first, reading.lists.exact)
            reading.take(self._points.nearest_each(requests))

    def _first_round(
        self, query: IndexQuery, fusion: Fusion, lists: RankedLists
    ) -> tuple[RankedLists, FirstRound]:
        """The first lists, and what is read once; all of it is requested at the same time."""
        words, token = fusion.all_words, query.page_token
        stored = () if token is None else token.best_words
        bests = [self._best_words.request(w) for w in words if len(stored) != len(words)]
        named = _named(query, fusion.words.exact_key, lists)
        least = [Scope.least_id(lists.where)] if needs_members(query) and lists.words else []
        searches = [
            *lists.requests(),
            *(request for best in bests for request in best),
            *([] if named is None else [_listing(named), *named.requests()]),
            *least,
        ]
        answers, matching, under_filter = self._answers_and_counts(query, searches)
        rest = iter(answers[len(lists.requests()) :])
        lists = lists.filled(answers)
        few = not lists.exact and self._plans.learn(query.filter, matching)
        if few or lists.unreached(under_filter):
            lists = lists.compared()
            lists = lists.filled(self._points.nearest_each(lists.requests()))
        best_words = stored
        if bests:
            best_points = [next(rest) if best else [] for best in bests]
            best_words = tuple(map(self._best_words.of, words, best_points))
        ids = frozenset[str]()
        if named is not None:
            listed, named = next(rest), named.filled([next(rest) for _ in named.requests()])
            if _are_all_that_counts(named, listed, query, fusion, best_words[0]):
                lists = named
            else:
                ids = self._ids(named, listed)
        piece = next((p.payload[ID_LEVELS[0].key] for points in rest for p in points), None)
        return lists, FirstRound(best_words, ids, lists.named, matching, under_filter, piece)

    def _answers_and_counts(
        self, query: IndexQuery, searches: Sequence[NearestQuery]
    ) -> tuple[list[list[Point]], int, int]:
        """What the searches find; how many products are under the query's filter, and how many of
        those may be in the answer."""
        calls: list[Callable[[], Any]] = [
            lambda: self._points.nearest_each(searches),
            lambda: self._points.count(every(translate(query.filter))),
        ]
        if query.exclude or query.page_token is not None:
            calls.append(lambda: self._points.count(filter_of(query)))
        answers, matching, *counted = self._points.together(calls)
        return answers, matching, counted[0] if counted else matching

    def _ids(self, lists: RankedLists, listed: Sequence[Point]) -> frozenset[str]:
        """All points of the lists, given those of their listing."""
        if len(listed) < _listing(lists).limit:
            return frozenset(point.id for point in listed)
        return frozenset(point.id for point in self._points.all(lists.where, payload=False))


def _named(query: IndexQuery, key: str, lists: RankedLists) -> RankedLists | None:
    """The lists among the products that the query names exactly; None where it can name none."""
    if not key:
        return None
    where = every(*conditions_of(query), equal(KEYS, key))
    every_one = tuple(replace(ranked, least=None) for ranked in lists.lists)
    return replace(lists, lists=every_one, where=where, exact=True, named=True)


def _are_all_that_counts(
    named: RankedLists,
    listed: Sequence[Point],
    query: IndexQuery,
    fusion: Fusion,
    best_words: float,
) -> bool:
    """Whether the lists of the products that are named exactly hold the whole set: those are more
    than it takes, and none that is in no list can be in it."""
    if len(listed) < _listing(named).limit:
        return False
    # with a vector, products without the words have a place in the lists by vectors
    return query.vector is not None or named.wordless_come_last(fusion.relevance(None, best_words))


def _listing(lists: RankedLists) -> NearestQuery:
    """The search for the products of lists by id: where it finds as many as its limit, they are
    more than the set takes."""
    limit = max((ranked.limit for ranked in lists.lists), default=SPARE_CANDIDATES)
    return NearestQuery(None, lists.where, limit=limit)


def _target(
    query: IndexQuery, fusion: Fusion, table: SignalTable, relevance: QueryRelevance
) -> float:
    """The least value whose products the pool must hold, all of them, as far as is known."""
    last = table.kth_value_at_least(query.candidates, relevance)
    if last < fusion.least or last == -np.inf:
        return fusion.least
    # the set is known to be full: from here on its best may be all that matters
    count = query.candidates if needs_members(query) else query.limit + _PAGE_SPARE
    return max(last, table.kth_value_at_least(min(count, query.candidates), relevance))
