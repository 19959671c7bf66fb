"""Every product that may belong to the set of a fused query, found by a threshold algorithm (Fagin,
Lotem and Naor 2003, "Optimal aggregation algorithms for middleware").

Qdrant lists the products with the best score for each signal: the nearest by their pictures, those
that match the query's words best, and, where the version keeps them, the nearest by their words'
vectors. What one list does not tell of a product that another one names is asked for by its id. A
product in no list scores for each signal at most what the last one of that list does; and since
order values rise with every signal, no such product is better than the value of these ends. When
that is below what the set takes (its least value, or the value of the last of enough candidates),
everything that may belong to it has been seen; until then longer lists are read.

One round of lists and one of what they do not tell are two requests for searches in all, beside the
counts and the exact hits, which are on their way at the same time. Products that match no word are
ordered by their vectors alone, so once all that match a word are listed, the nearest
`candidates` are enough: a second round of lists is for queries whose words more products match than
the set may have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from qdrant_client import models

from vitrine.index.fusion import Fusion
from vitrine.index.ports import IndexQuery
from vitrine.index.qdrant.best_words import BestWords
from vitrine.index.qdrant.filters import equal, every, translate
from vitrine.index.qdrant.payload import KEYS
from vitrine.index.qdrant.plans import PlanMemory
from vitrine.index.qdrant.points import NearestQuery, Points
from vitrine.index.qdrant.ranked_lists import RankedLists
from vitrine.index.qdrant.scope import conditions_of, members_of
from vitrine.index.qdrant.signals import Channel, OrderValues, SignalTable, channels_of
from vitrine.relevance import QueryRelevance

__all__ = ["Pool", "PoolSearch"]

SPARE = 64
"""Points read beyond the candidates, so that ties at the end of the set are seen."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstRound:
    """What the first round tells beside its lists."""

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
    """All that may belong to the set, and what is told beside it."""

    values: OrderValues
    relevance: QueryRelevance
    first: FirstRound
    exact: bool


class PoolSearch:
    """Looks for everything that may belong to the sets of fused queries."""

    def __init__(self, points: Points, plans: PlanMemory, *, texts: bool) -> None:
        self._points = points
        self._plans = plans
        self._texts = texts
        self._best_words = BestWords(points)

    def find(self, query: IndexQuery, fusion: Fusion) -> Pool:
        """The pool of a query."""
        exact = self._plans.exact(query.filter)
        if exact is None:
            matching = self._points.count(every(translate(query.filter)))
            exact = self._plans.learn(query.filter, matching)
        channels = channels_of(query.vector, fusion.words, texts=self._texts)
        lists = RankedLists.of(channels, members_of(query), query.candidates + SPARE, exact=exact)
        # how well words can do is not known yet: as if they could do nothing, which lets more in
        lists = lists.ending_at(fusion.least, fusion.relevance(query.vector, 0.0))
        lists, first = self._first_round(query, fusion, lists)
        relevance = fusion.relevance(query.vector, first.best_words[0])
        table = SignalTable(channels, set(first.named))
        while True:
            self._tabulate(table, lists)
            values = table.values(relevance)
            target = max(fusion.least, values.reached_by(query.candidates))
            if lists.hold_all_above(target, relevance):
                return Pool(values, relevance, first, lists.exact)
            lists = lists.longer().ending_at(target, relevance)
            lists = lists.filled(self._points.nearest_each(lists.requests()))

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
            calls.append(lambda: self._points.count(members_of(query)))
        answers, matching, named, *counted = self._points.together(calls)
        under_filter = counted[0] if counted else matching
        lists, rest = lists.filled(answers), iter(answers[len(lists.lists) :])
        if (not lists.exact and self._plans.learn(query.filter, matching)) or lists.unreached(
            under_filter
        ):
            lists = replace(lists, exact=True)
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

    def _tabulate(self, table: SignalTable, lists: RankedLists) -> None:
        """Take in the lists, and ask for what they do not tell of one another's points."""
        for ranked in lists.lists:
            table.add(ranked.channel, ranked.points)
        missing: list[tuple[Channel, list[str]]] = []
        for ranked in lists.lists:
            ids = table.missing(ranked.channel)
            if ranked.tells_of_all:
                table.settle(ranked.channel, ids)
            elif ids:
                missing.append((ranked.channel, ids))
        answers = self._points.nearest_each([_of_these(c, ids) for c, ids in missing])
        for (channel, ids), points in zip(missing, answers, strict=True):
            table.add(channel, points)
            table.settle(channel, ids)


def _of_these(channel: Channel, ids: list[str]) -> NearestQuery:
    """The scores of some points."""
    where = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
    return NearestQuery(channel.vector, where, limit=len(ids), exact=True, using=channel.name)
