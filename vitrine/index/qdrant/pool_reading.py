"""The rounds of reading for a pool: missing scores, longer lists, and ties at their ends."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import models

from vitrine.index.qdrant.point import Point
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.ranked_lists import RankedLists
from vitrine.index.qdrant.signals import Channel, OrderValues, SignalTable
from vitrine.index.qdrant.word_ties import Scope, Search, TiedProducts, WordTie
from vitrine.relevance import QueryRelevance
from vitrine.words import QueryWords

__all__ = ["PoolReading"]


class PoolReading:
    """What has been read for a fused query, and what is still to be read."""

    def __init__(
        self, lists: RankedLists, table: SignalTable, relevance: QueryRelevance, scope: Scope
    ) -> None:
        self.lists = lists
        self.table = table
        self._relevance = relevance
        self._scope = scope
        self._tie: WordTie | None = None
        self._tie_answers: Sequence[Sequence[Point]] = ()
        # what the last requests were: scores by id, longer lists, and whether those of a tie
        self._missing: list[tuple[Channel, list[str]]] = []
        self._longer: RankedLists | None = None
        self._asks_tie = False
        self._add()

    def requests(self, target: float) -> list[NearestQuery]:
        """What is to be asked next, so that all products are known whose value is `target` or more;
        none where they are."""
        self._missing = self._missing_scores()
        self._longer = None
        if not self.lists.hold_all_above(target, self._relevance):
            matching = self._scope.matching
            self._longer = self.lists.with_closest(target, self._relevance, matching)
            if self._longer is None and not self._missing:  # else the target may still rise
                self._longer = self.lists.longer().ending_at(target, self._relevance)
        self._asks_tie = self._new_tie(target)
        return [
            *(_scores_of(channel, ids) for channel, ids in self._missing),
            *([] if self._longer is None else self._longer.requests()),
            *(self._tie.requests() if self._tie is not None and self._asks_tie else []),
        ]

    def take(self, answers: Sequence[Sequence[Point]]) -> None:
        """Take what was answered to the last `requests`."""
        for (channel, ids), points in zip(self._missing, answers, strict=False):
            self.table.add(channel, points)
            self.table.mark_absent(channel, ids)
        answers = answers[len(self._missing) :]
        if self._longer is not None:
            read = len(self._longer.requests())
            self.lists = self._longer.filled(answers)
            answers = answers[read:]
            self._add()
        if self._asks_tie:
            self._tie_answers = answers

    def values(
        self, target: float, words: QueryWords, search: Search
    ) -> tuple[OrderValues, TiedProducts]:
        """The values of all that may belong to the set, and which of them tie at its end."""
        values = self.table.values(self._relevance)
        if self._tie is None or not self._tie.reaches(target, self._relevance):
            return values, TiedProducts()
        return self._tie.decided(values, self._tie_answers, search, words, self._relevance)

    def _new_tie(self, target: float) -> bool:
        """Whether the list by words ends in a tie that reaches the target and is not known yet."""
        words, known = self.lists.words, self._tie
        if known is not None and known.words is words:
            return False
        self._tie = None
        if words is not None and not words.exhausted:
            tie = WordTie(words, self._scope)
            self._tie = tie if tie.reaches(target, self._relevance) else None
        return self._tie is not None

    def _missing_scores(self) -> list[tuple[Channel, list[str]]]:
        """For each signal the points whose score is still to be read."""
        missing: list[tuple[Channel, list[str]]] = []
        for ranked in self.lists.lists:
            ids = self.table.missing(ranked.channel)
            if ranked.is_complete:
                self.table.mark_absent(ranked.channel, ids)
            elif ids:
                missing.append((ranked.channel, ids))
        return missing

    def _add(self) -> None:
        """Add the scores of the lists' points to the table."""
        for channel, points in self.lists.scores():
            self.table.add(channel, points)


def _scores_of(channel: Channel, ids: list[str]) -> NearestQuery:
    """The search that reads the scores of these points."""
    where = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
    return NearestQuery(channel.vector, where, limit=len(ids), exact=True, using=channel.name)
