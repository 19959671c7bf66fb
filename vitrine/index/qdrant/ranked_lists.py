"""The best points for each signal of a fused query: lists that are read in growing lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models

from vitrine.index.qdrant.point import WORDS, Point
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.signals import Channel, signals
from vitrine.relevance import QueryRelevance

__all__ = ["TIE_ERRORS", "RankedList", "RankedLists"]

_GROWTH = 4
"""How many times longer the next lists are."""
_MOST_GROWTH = 16
"""How many times longer a list may be that ends at a score."""
_COSINES = np.linspace(-1.0, 1.0, 4001)
"""Where a list of cosines may end."""
_WORDS_SCORES = np.linspace(0.0, 1.0, 4001)
"""Where a list by words may end."""
TIE_ERRORS = 4
"""How many errors of a sum lie between the last score of a list by words and the end of those that
tie with it: a score that cannot be told from it, itself off by one, lies within."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedList:
    """The best `limit` points for one signal, none that scores below `least`."""

    channel: Channel
    limit: int
    least: float | None = None
    among: NearestQuery | None = None
    """The search whose points alone are compared; None for all products of the query."""
    points: Sequence[Point] = ()
    others: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    """Its points as they score for other signals, by these' names."""
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


Ends = dict[str, float]
"""What the points of a kind score at most, by the signals' names."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """The lists of all signals, among the products that fulfill `where`."""

    lists: tuple[RankedList, ...]
    where: models.Filter | None
    exact: bool
    """Whether vectors are all compared, or found through the graph."""
    shards: int
    """How many the collection has."""
    named: bool = False
    """Whether the query names all of these products exactly."""
    closest: RankedList | None = None
    """The nearest of those that match the words well: whose words score at least what
    `closest.among` says."""

    def requests(self) -> list[NearestQuery]:
        """What Qdrant is asked for: the lists that are still to be read, each followed by what its
        points score for other signals."""
        return [
            request
            for ranked in self._all()
            if not ranked.read
            for request in self._requests(ranked)
        ]

    def _all(self) -> Iterator[RankedList]:
        yield from self.lists
        if self.closest is not None:
            yield self.closest

    def _requests(self, ranked: RankedList) -> list[NearestQuery]:
        request = NearestQuery(
            ranked.channel.vector,
            self.where if ranked.among is None else None,
            limit=ranked.limit,
            least=ranked.least,
            exact=self.exact or ranked.among is not None,
            using=ranked.channel.name,
            among=ranked.among,
        )
        others = [
            NearestQuery(
                channel.vector,
                None,
                limit=ranked.limit * self.shards,  # each shard compares the best of its own
                exact=True,
                using=channel.name,
                among=request,
            )
            for channel in self._others(ranked)
        ]
        return [request, *others]

    def _others(self, ranked: RankedList) -> list[Channel]:
        """The signals whose scores are read with a list. Those of the nearest are not: most of them
        are in the list by words, or match none."""
        if not ranked.channel.is_words and ranked.among is None:
            return []
        return [r.channel for r in self.lists if r.channel is not ranked.channel]

    def filled(self, answers: Sequence[Sequence[Point]]) -> RankedLists:
        """The lists with what is answered to `requests`; further answers are ignored."""
        rest = iter(answers)

        def fill(ranked: RankedList) -> RankedList:
            if ranked.read:
                return ranked
            points = next(rest)
            others = {channel.name: next(rest) for channel in self._others(ranked)}
            return replace(ranked, points=points, others=others, read=True)

        lists = tuple(fill(ranked) for ranked in self.lists)
        closest = None if self.closest is None else fill(self.closest)
        return replace(self, lists=lists, closest=closest)

    def scores(self) -> Iterator[tuple[Channel, Sequence[Point]]]:
        """All that has been read."""
        channels = {ranked.channel.name: ranked.channel for ranked in self.lists}
        for ranked in self._all():
            yield ranked.channel, ranked.points
            listed = {point.id for point in ranked.points}
            for name, points in ranked.others.items():
                yield channels[name], [point for point in points if point.id in listed]

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

    @property
    def words(self) -> RankedList | None:
        """The list by words; None where no product can match a word."""
        return next((r for r in self.lists if r.channel.is_words), None)

    def with_closest(
        self, target: float, relevance: QueryRelevance, matching: int
    ) -> RankedLists | None:
        """The lists and the nearest of those that match the words well, down to where no other
        product has a value of `target` or more, unless its words alone make it.

        Of the products in none of the lists those that match the words worse are not near enough,
        and those that match them better would be among their nearest. `matching` is how many
        products there are. None where no score of words, or no cosine, is low enough for that.
        """
        words = self.words
        if words is None or words.is_complete or len(self.lists) == 1:
            return None
        least = self._below(words.channel, _WORDS_SCORES, target, relevance)
        if least is None:
            return None
        above = max(
            target, float(np.nextafter(self._value_by_words(self._ends, relevance), np.inf))
        )
        cosines = [ranked.channel for ranked in self.lists if ranked is not words]
        ending = ((c, self._below(c, _COSINES, above, relevance)) for c in cosines)
        channel, cosine = next(((c, end) for c, end in ending if end is not None), (None, None))
        if channel is None:
            return None
        among = NearestQuery(
            words.channel.vector,
            self.where,
            limit=max(1, matching),
            least=least * words.channel.scale,
            using=words.channel.name,
        )
        limit = _MOST_GROWTH * (words if self.closest is None else self.closest).limit
        return replace(self, closest=RankedList(channel, limit, least=cosine, among=among))

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
        """Whether no point that is in none of the lists has a value of `target` or more, but for
        those that tie by their words alone with the last one of their list."""
        for ends in self._unseen():
            value = self._value(ends, relevance)
            if value == -np.inf or value < target:
                continue
            by_words = value == self._value_by_words(ends, relevance)
            if not by_words or self._value_below_tie(ends, relevance) >= target:
                return False
        return True

    def wordless_come_last(self, relevance: QueryRelevance) -> bool:
        """Whether products without any of the words come after all that are listed by words, in a
        query of words alone."""
        words = self.words
        if words is None or words.exhausted:
            return False
        last = np.array([words.points[-1].score / words.channel.scale])
        lowest = float(words.channel.bounds(last)[0][0])
        return self._value({WORDS: lowest}, relevance) > self._value({WORDS: 0.0}, relevance)

    def _value_below_tie(self, ends: Ends, relevance: QueryRelevance) -> float:
        """The value that a product has at most that scores less by words than those that tie with
        the last one."""
        words = self.words
        if words is None:
            return self._value(ends, relevance)
        end = np.array([ends[WORDS]])
        error = float((end - words.channel.bounds(end)[0])[0])
        # the end is one error above the last score, and the most that others score one more
        fewer = ends[WORDS] - TIE_ERRORS * error
        return self._value(ends | {WORDS: fewer}, relevance)

    def ending_at(self, target: float, relevance: QueryRelevance) -> RankedLists:
        """The list of cosines ends where products can no longer reach `target`, if it is the only
        one of its kind: as well as words can do for a product that is not in their list."""
        cosines = [ranked for ranked in self.lists if not ranked.channel.is_words]
        if len(cosines) != 1 or target == -np.inf:
            return self
        least = self._below(cosines[0].channel, _COSINES, target, relevance)
        return replace(
            self,
            lists=tuple(
                ranked
                if ranked.channel.is_words or ranked.is_complete
                else replace(ranked, least=least)
                for ranked in self.lists
            ),
        )

    @property
    def _ends(self) -> Ends:
        return {ranked.channel.name: ranked.end for ranked in self.lists}

    def _unseen(self) -> list[Ends]:
        """What the points in none of the lists score at most. Where `closest` has been read, those
        that match the words well, and those that match them worse."""
        ends, closest, words = self._ends, self.closest, self.words
        if closest is None or closest.among is None or words is None:
            kinds = [ends]
        else:
            name, least = closest.channel.name, float(closest.among.least or 0.0)
            worse = float(words.channel.bounds(np.array([least / words.channel.scale]))[1][0])
            kinds = [
                ends | {name: min(ends[name], closest.end)},
                ends | {words.channel.name: min(ends[words.channel.name], worse)},
            ]
        return [kind for kind in kinds if -np.inf not in kind.values()]

    def _below(
        self,
        channel: Channel,
        grid: NDArray[np.float64],
        target: float,
        relevance: QueryRelevance,
    ) -> float | None:
        """The highest score for one signal with which no point in none of the lists has a value of
        `target` or more, less a step of the grid, which is more than Qdrant's scores are off."""
        values = self._values(self._ends | {channel.name: grid}, relevance)
        below = int(np.count_nonzero(values < target))
        return None if below < 2 else float(grid[below - 2])

    def _values(
        self, ends: Mapping[str, float | NDArray[np.float64]], relevance: QueryRelevance
    ) -> NDArray[np.float64]:
        size = max((np.size(end) for end in ends.values()), default=1)
        scores = {name: np.broadcast_to(np.float64(end), size) for name, end in ends.items()}
        return relevance.log_odds(signals(scores, np.full(size, self.named)))

    def _value(self, ends: Ends, relevance: QueryRelevance) -> float:
        """The value that a point with these scores has."""
        return float(self._values(ends, relevance)[0])

    def _value_by_words(self, ends: Ends, relevance: QueryRelevance) -> float:
        """The value that its words alone make."""
        return self._value({n: e if n == WORDS else -1.0 for n, e in ends.items()}, relevance)
