"""Every product that may belong to the set of a fused query, found by a threshold algorithm (Fagin,
Lotem and Naor 2003, "Optimal aggregation algorithms for middleware").

Qdrant lists the products with the best score for each signal: the nearest by their pictures, those
that match the query's words best, and, where the version keeps them, the nearest by their words'
vectors. A score that one list lacks for a product of another one is read by its id. A
product in no list scores for each signal at most what the last one of that list does; and since
order values rise with every signal, no such product is better than the value of these ends. When
that is below what the set takes (its least value, or the value of the last of enough candidates),
everything that may belong to it has been seen; until then longer lists are read. A first page by
relevance needs of a full set no more than its best products: there the value of the page's last one
is enough, and those that tie at the end of the set are never told apart.

One round of lists and one of missing scores are two requests for searches in all, beside the
counts and the exact hits, which are requested at the same time. Products that match no word are
ordered by their vectors alone, so once all that match a word are listed, the nearest
`candidates` are enough: a second round of lists is for queries whose words more products match than
the set may have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import models

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.index.qdrant.best_words import BestWords
from vitrine.index.qdrant.filters import equal, every, translate
from vitrine.index.qdrant.payload import KEYS
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.points import NearestQuery, Points
from vitrine.index.qdrant.ranked_lists import RankedList, RankedLists
from vitrine.index.qdrant.ranking import needs_members
from vitrine.index.qdrant.scope import conditions_of, filter_of
from vitrine.index.qdrant.signals import Channel, OrderValues, SignalTable, channels_of
from vitrine.relevance import QueryRelevance

__all__ = ["Pool", "PoolSearch"]

SPARE = 64
"""Points read beyond the candidates, so that ties at the end of the set are seen."""
_PAGE_SPARE = 8
"""Products beyond a page that are certain to follow it, for those that are deleted meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstRound:
    """What the first round of requests answers beside its lists."""

    best_words: tuple[float, ...]
    """Highest core words scores, of the query and of each negative; see `PageToken`."""
    named: frozenset[str]
    """Points that the query names exactly."""
    matching: int
    """Products under the query's filter."""
    under_filter: int
    """Those of them that may be in the answer: not excluded, and on later pages not newer."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """All that may belong to the set, and what was read with it."""

    values: OrderValues
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
        limit = query.candidates + SPARE
        unread = tuple(RankedList(channel, limit) for channel in channels)
        lists = RankedLists(unread, filter_of(query), exact, self._shards)
        # how well words can do is not known yet: as if they could do nothing, which lets more in
        lists = lists.ending_at(fusion.least, fusion.relevance(query.vector, 0.0))
        lists, first = self._first_round(query, fusion, lists)
        relevance = fusion.relevance(query.vector, first.best_words[0])
        table = SignalTable(channels, set(first.named))
        _add(table, lists)
        while True:
            missing = _missing(table, lists)
            target = _target(query, fusion, table, relevance)
            longer = None
            if not lists.hold_all_above(target, relevance):
                longer = lists.with_words_down_to(target, relevance)
                if longer is None and not missing:  # else the target may still rise
                    longer = lists.longer().ending_at(target, relevance)
            if longer is None and not missing:
                return Pool(table.values(relevance), relevance, first, lists.exact)
            further = [] if longer is None else longer.requests()
            by_id = [_scores_of(channel, ids) for channel, ids in missing]
            answers = self._points.nearest_each([*by_id, *further])
            for (channel, ids), points in zip(missing, answers, strict=False):
                table.add(channel, points)
                table.mark_absent(channel, ids)
            if longer is not None:
                lists = longer.filled(answers[len(missing) :])
                _add(table, lists)

    def _first_round(
        self, query: IndexQuery, fusion: Fusion, lists: RankedLists
    ) -> tuple[RankedLists, FirstRound]:
        """The lists, and all that is asked once; none of it waits for another."""
        words, token = fusion.all_words, query.page_token
        stored = () if token is None else token.best_words
        bests = [self._best_words.request(w) for w in words if len(stored) != len(words)]
        searches = [*lists.requests(), *(request for best in bests for request in best)]
        calls: list[Callable[[], Any]] = [
            lambda: self._points.nearest_each(searches),
            lambda: self._points.count(every(translate(query.filter))),
            lambda: self._named(query, fusion.words.exact_key),
        ]
        if query.exclude or token is not None:
            calls.append(lambda: self._points.count(filter_of(query)))
        answers, matching, named, *counted = self._points.together(calls)
        under_filter = counted[0] if counted else matching
        rest = iter(answers[len(lists.requests()) :])
        lists = lists.filled(answers)
        if (not lists.exact and self._plans.learn(query.filter, matching)) or lists.unreached(
            under_filter
        ):
            lists = lists.compared()
            lists = lists.filled(self._points.nearest_each(lists.requests()))
        best_words = (
            stored
            if not bests
            else tuple(
                self._best_words.of(w, next(rest) if best else [])
                for w, best in zip(words, bests, strict=True)
            )
        )
        return lists, FirstRound(best_words, named, matching, under_filter)

    def _named(self, query: IndexQuery, key: str) -> frozenset[str]:
        """The points that are named exactly."""
        if not key:
            return frozenset()
        where = every(*conditions_of(query), equal(KEYS, key))
        return frozenset(point.id for point in self._points.all(where, payload=False))


def _target(
    query: IndexQuery, fusion: Fusion, table: SignalTable, relevance: QueryRelevance
) -> float:
    """The least value whose products the pool must hold, all of them, as far as is known."""
    last = table.kth_value_at_least(query.candidates, relevance)
    if last < fusion.least or last == -np.inf:
        return fusion.least
    # the set is known to be full: from here on its best may be all that matters
    wanted = query.candidates if needs_members(query) else query.limit + _PAGE_SPARE
    return max(last, table.kth_value_at_least(min(wanted, query.candidates), relevance))


def _add(table: SignalTable, lists: RankedLists) -> None:
    """Add the scores of the lists' points to the table."""
    for ranked in lists.lists:
        table.add(ranked.channel, ranked.points)
    for ranked in lists.lists:
        listed = {point.id for point in ranked.points}
        for other in lists.lists:
            scored = ranked.cosines.get(other.channel.name, ())
            table.add(other.channel, [point for point in scored if point.id in listed])


def _missing(table: SignalTable, lists: RankedLists) -> list[tuple[Channel, list[str]]]:
    """For each signal the points whose score is still to be read."""
    missing: list[tuple[Channel, list[str]]] = []
    for ranked in lists.lists:
        ids = table.missing(ranked.channel)
        if ranked.is_complete:
            table.mark_absent(ranked.channel, ids)
        elif ids:
            missing.append((ranked.channel, ids))
    return missing


def _scores_of(channel: Channel, ids: list[str]) -> NearestQuery:
    """The search that reads the scores of these points."""
    where = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
    return NearestQuery(channel.vector, where, limit=len(ids), exact=True, using=channel.name)
