"""The best points for each signal of a fused query: lists that are read in growing lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from qdrant_client import models

from vitrine.index.qdrant.points import NearestQuery
from vitrine.index.qdrant.ranking import SCORE_TOLERANCE
from vitrine.index.qdrant.signals import Channel, signals
from vitrine.index.qdrant.wire import WORDS, Point
from vitrine.relevance import QueryRelevance

__all__ = ["RankedList", "RankedLists"]

_GROWTH = 4
"""How many times longer the next lists are."""
_MOST_GROWTH = 16
"""How many times longer a list by words may be that ends at a score."""
_COSINES = np.linspace(-1.0, 1.0, 1001)
"""Where a list of cosines may end."""
_WORDS_SCORES = np.linspace(0.0, 1.0, 4001)
"""Where a list by words may end."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedList:
    """The best `limit` points for one signal, none that scores below `least`."""

    channel: Channel
    limit: int
    least: float | None = None
    points: Sequence[Point] = ()
    cosines: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    """Of a list by words: its points as they score for the other signals, by these' names."""
    read: bool = False
    """Whether `points` are those of this limit and least score."""

    @property
    def exhausted(self) -> bool:
        """Whether there are no more of them."""
        return len(self.points) < self.limit

    @property
    def is_complete(self) -> bool:
        """Whether a point that is not in the list is known to have no score."""
        return self.read and self.exhausted and self.least is None

    @property
    def end(self) -> float:
        """What a point that is not in the list scores at most; -inf where none can be."""
        if not self.exhausted:
            last = self.points[-1].score
        elif self.least is not None:
            last = self.least
        else:
            return 0.0 if self.channel.is_words else -np.inf
        return float(self.channel.bounds(np.array([last / self.channel.scale]))[1][0])


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """The lists of all signals, among the products that fulfill `where`."""

    lists: tuple[RankedList, ...]
    where: models.Filter | None
    exact: bool
    """Whether vectors are all compared, or found through the graph."""
    shards: int
    """How many the collection has."""

    def requests(self) -> list[NearestQuery]:
        """What Qdrant is asked for: the lists that are still to be read, and for that by words how
        its points score for the other signals."""
        unread = [self._request(ranked) for ranked in self.lists if not ranked.read]
        cosines = [
            NearestQuery(
                channel.vector,
                None,
                limit=words.limit * self.shards,  # each shard compares the best of its own
                exact=True,
                using=channel.name,
                among=words,
            )
            for words in unread
            if words.using == WORDS
            for channel in self._cosine_channels
        ]
        return [*unread, *cosines]

    @property
    def _cosine_channels(self) -> list[Channel]:
        return [ranked.channel for ranked in self.lists if not ranked.channel.is_words]

    def _request(self, ranked: RankedList) -> NearestQuery:
        return NearestQuery(
            ranked.channel.vector,
            self.where,
            limit=ranked.limit,
            least=ranked.least,
            exact=self.exact,
            using=ranked.channel.name,
        )

    def filled(self, answers: Sequence[Sequence[Point]]) -> RankedLists:
        """The lists with what is answered to `requests`; further answers are ignored."""
        rest = iter(answers)
        lists = [r if r.read else replace(r, points=next(rest), read=True) for r in self.lists]
        cosines = dict(zip((c.name for c in self._cosine_channels), rest, strict=False))
        return replace(
            self,
            lists=tuple(
                replace(filled, cosines=cosines)
                if filled.channel.is_words and not ranked.read
                else filled
                for ranked, filled in zip(self.lists, lists, strict=True)
            ),
        )

    def compared(self) -> RankedLists:
        """The same lists, to be read again by comparing all vectors."""
        return replace(
            self,
            exact=True,
            lists=tuple(replace(r, read=r.channel.is_words) for r in self.lists),
        )

    def unreached(self, expected: int) -> bool:
        """Whether the graph found fewer products than there are."""
        return not self.exact and any(
            len(ranked.points) < min(ranked.limit, expected)
            for ranked in self.lists
            if not ranked.channel.is_words and ranked.least is None
        )

    def with_words_down_to(self, target: float, relevance: QueryRelevance) -> RankedLists | None:
        """The list by words read on, down to where words no longer make up for what vectors do at
        the ends of their lists: no point outside has a value of `target` or more then.

        None where no score of words is low enough for that, or all that match a word are listed.
        """
        words = next((r for r in self.lists if r.channel.is_words), None)
        if words is None or words.is_complete:
            return None
        scores = {r.channel.name: np.full(len(_WORDS_SCORES), r.end) for r in self.lists}
        scores[words.channel.name] = _WORDS_SCORES
        odds = relevance.log_odds(signals(scores, np.zeros(len(_WORDS_SCORES), np.bool_)))
        below = int(np.count_nonzero(odds < target))
        if below < 2:
            return None
        least = float(_WORDS_SCORES[below - 2]) * words.channel.scale
        read_on = replace(words, limit=_MOST_GROWTH * words.limit, least=least, read=False)
        return replace(self, lists=tuple(read_on if r is words else r for r in self.lists))

    def longer(self) -> RankedLists:
        """The same lists, longer where there is more."""
        return replace(
            self,
            lists=tuple(
                r if r.is_complete else replace(r, limit=_GROWTH * r.limit, least=None, read=False)
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
                ranked
                if ranked.channel.is_words or ranked.is_complete
                else replace(ranked, least=least)
                for ranked in self.lists
            ),
        )
