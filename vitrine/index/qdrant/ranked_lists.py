"""The best points for each signal of a fused query, read longer and longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from qdrant_client import models

from vitrine.index.qdrant.points import NearestQuery
from vitrine.index.qdrant.ranking import SCORE_TOLERANCE
from vitrine.index.qdrant.signals import Channel, signals
from vitrine.index.qdrant.wire import Point
from vitrine.relevance import QueryRelevance

__all__ = ["RankedList", "RankedLists"]

_GROWTH = 4
"""How many times longer the next lists are."""
_COSINES = np.linspace(-1.0, 1.0, 1001)
"""Where a list of cosines may end."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedList:
    """The best `limit` points for one signal, none that scores below `least`."""

    channel: Channel
    limit: int
    least: float | None = None
    points: Sequence[Point] = ()

    @property
    def exhausted(self) -> bool:
        """Whether there are no more of them."""
        return len(self.points) < self.limit

    @property
    def tells_of_all(self) -> bool:
        """Whether a point that is not in the list is known to have no score."""
        return self.exhausted and self.least is None

    @property
    def end(self) -> float:
        """What a point that is not in the list scores at most; -inf where none can be."""
        if not self.exhausted:
            last = np.array([self.points[-1].score / self.channel.scale])
            return float(self.channel.around(last)[1][0])
        if self.channel.is_words:
            return 0.0
        return -np.inf if self.least is None else self.least + SCORE_TOLERANCE


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """The lists of all signals, among the products that fulfill `where`."""

    lists: tuple[RankedList, ...]
    where: models.Filter | None
    exact: bool
    """Whether vectors are all compared, or found through the graph."""

    @classmethod
    def of(
        cls, channels: Sequence[Channel], where: models.Filter | None, limit: int, *, exact: bool
    ) -> RankedLists:
        """Lists that are still to be read."""
        return cls(tuple(RankedList(channel, limit) for channel in channels), where, exact)

    def requests(self) -> list[NearestQuery]:
        """What Qdrant is asked for."""
        return [
            NearestQuery(
                ranked.channel.vector,
                self.where,
                limit=ranked.limit,
                least=ranked.least,
                exact=self.exact,
                using=ranked.channel.name,
            )
            for ranked in self.lists
        ]

    def filled(self, answers: Sequence[Sequence[Point]]) -> RankedLists:
        """The lists with what the first of the answers hold."""
        pairs = zip(self.lists, answers, strict=False)
        return replace(self, lists=tuple(replace(r, points=points) for r, points in pairs))

    def unreached(self, expected: int) -> bool:
        """Whether the graph led to fewer products than there are."""
        return not self.exact and any(
            len(ranked.points) < min(ranked.limit, expected)
            for ranked in self.lists
            if not ranked.channel.is_words and ranked.least is None
        )

    def longer(self) -> RankedLists:
        """The same lists, longer where there is more."""
        return replace(
            self,
            lists=tuple(
                replace(r, limit=r.limit if r.tells_of_all else _GROWTH * r.limit)
                for r in self.lists
            ),
        )

    def hold_all_above(self, target: float, relevance: QueryRelevance) -> bool:
        """Whether no point that is in none of the lists has a value of `target` or more."""
        ends = {ranked.channel.name: ranked.end for ranked in self.lists}
        if -np.inf in ends.values():
            return True
        scores = {name: np.array([end]) for name, end in ends.items()}
        unseen = relevance.log_odds(signals(scores, np.zeros(1, np.bool_)))[0]
        return bool(unseen == -np.inf or unseen < target)

    def ending_at(self, target: float, relevance: QueryRelevance) -> RankedLists:
        """The list of cosines ends where products can no longer reach `target`, if it is the only
        one of its kind: as well as words can do for a product that is not in their list."""
        cosines = [ranked for ranked in self.lists if not ranked.channel.is_words]
        if len(cosines) != 1 or target == -np.inf:
            return self
        scores = {cosines[0].channel.name: _COSINES + 2 * SCORE_TOLERANCE}
        scores |= {
            ranked.channel.name: np.full(len(_COSINES), ranked.end)
            for ranked in self.lists
            if ranked.channel.is_words
        }
        odds = relevance.log_odds(signals(scores, np.zeros(len(_COSINES), np.bool_)))
        below = int(np.count_nonzero(odds < target))
        least = float(_COSINES[below - 1]) if below else None
        return replace(
            self,
            lists=tuple(
                ranked if ranked.channel.is_words else replace(ranked, least=least)
                for ranked in self.lists
            ),
        )
