"""Products that tie by their words where the list by words ends.

In a shop of one kind thousands of products have the same words of a query, and of most of them
looks change nothing: they have the same value, and their ids decide which of them are in the set.
However many they are, Qdrant is asked for the first ones by id, and for the two that score least
and most by other weights of the same words. Where these two agree in all bits, as all agree in the
sum by the query's own weights, they have the same words; else the words of every one are read.

All servers from 1.16 to 1.19 take such requests, as their source says: prefetches nest up to 64
deep, each shard carries out its own, an order over a prefetch is read among the ids that it found,
and with a negative weight no posting list is cut short (`lib/shard/src/query/planned_query.rs`,
`lib/sparse/src/index/search_context.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models

from vitrine.index.qdrant.filters import equal, every
from vitrine.index.qdrant.ordered_reading import ID_LEVELS, by_id
from vitrine.index.qdrant.payload import ID
from vitrine.index.qdrant.point import WORDS, Point, SparseRow
from vitrine.index.qdrant.queries import NearestQuery
from vitrine.index.qdrant.ranked_lists import TIE_ERRORS, RankedList
from vitrine.index.qdrant.signals import OrderValues, words_scores
from vitrine.relevance import QueryRelevance, Signals
from vitrine.words import QueryWords

__all__ = ["Scope", "Search", "TiedProducts", "WordTie"]

_READ = 2
"""Products read by id for each candidate: those that are needed seldom end among others with the
same first bytes then, which takes one more request."""
_DELETED = 8
"""Of the tied products so many are kept beyond those that are needed, for some that are deleted."""

Search = Callable[[NearestQuery], list[Point]]


@dataclass(frozen=True, slots=True, eq=False)
class TiedProducts:
    """The first products of a tie: their ids by those of their points, and the value that all of
    them have, exactly; None where their words may differ."""

    ids: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The products of a search: their conditions, whether the query names all of them exactly, how
    many they are at most, how many of them the set takes, and the first piece of the least id,
    where it was read."""

    where: models.Filter | None
    named: bool
    matching: int
    candidates: int
    least_piece: int | None

    @staticmethod
    def least_id(where: models.Filter | None) -> NearestQuery:
        """The search for the product with the least first piece."""
        return NearestQuery(None, where, limit=1, order=ID_LEVELS[0], payload=(ID_LEVELS[0].key,))


class WordTie:
    """The products whose words score is the last one of the list by words, as far as float32
    tells."""

    def __init__(self, words: RankedList, scope: Scope) -> None:
        """`words` is a list that goes on."""
        self.words = words
        self._scope = scope
        row, last = words.channel.vector, words.points[-1].score
        if not isinstance(row, SparseRow):
            raise TypeError("the list by words is one of a sparse vector")
        self._row = row
        low, high = (float(bound[0]) for bound in words.channel.bounds(np.array([last])))
        self._scores = low / words.channel.scale, high / words.channel.scale
        self._group = NearestQuery(
            row,
            scope.where,
            limit=scope.matching,
            least=last - TIE_ERRORS * (last - low),
            using=WORDS,
        )
        self._tied = NearestQuery(
            SparseRow(row.indices, -row.values),
            None,
            limit=scope.matching,
            least=-last - TIE_ERRORS * (high - last),
            using=WORDS,
            among=self._group,
        )

    def reaches(self, target: float, relevance: QueryRelevance) -> bool:
        """Whether such a product may have a value of `target` or more by its words alone."""
        return self._values(relevance)[1] >= target

    def requests(self) -> list[NearestQuery]:
        """What Qdrant is asked, in one request with the lists that are still to be read.

        Ids often begin alike, so those with the least first piece are asked for in the order of
        the second one as well.
        """
        ends = [
            NearestQuery(
                SparseRow(self._row.indices, weights),
                None,
                limit=1,
                using=WORDS,
                with_vectors=(WORDS,),
                among=self._tied,
            )
            for weights in (self._other_weights, -self._other_weights)
        ]
        pages = [
            self._by_id(where, order, _READ * self._scope.candidates)
            for where, order in zip(self._read_ahead, ID_LEVELS, strict=False)
        ]
        return [*ends, *pages]

    @property
    def _read_ahead(self) -> list[list[models.Condition]]:
        """The conditions of the pages by id that are read at once."""
        piece = self._scope.least_piece
        return [[]] if piece is None else [[], [equal(ID_LEVELS[0].key, piece)]]

    def decided(
        self,
        values: OrderValues,
        answers: Sequence[Sequence[Point]],
        search: Search,
        words: QueryWords,
        relevance: QueryRelevance,
    ) -> tuple[OrderValues, TiedProducts]:
        """The values with no other tied products than those that may be in the set; `answers` are
        those to `requests`."""
        low, high = self._values(relevance)
        tied = values.by_words & (values.low <= high) & (values.high >= low)
        others = {i for i, t in zip(values.ids, tied.tolist(), strict=True) if not t}
        value = self._value(answers[:2], words, relevance)
        count: int | None = None
        page, pages = self._group.limit, list[Sequence[Point]]()
        if value is not None:
            count = self._scope.candidates - int(np.count_nonzero(values.low > high)) + _DELETED
            page, pages = _READ * self._scope.candidates, list(answers[2:])

        def fetch(
            where: list[models.Condition], order: models.OrderBy | None, limit: int | None
        ) -> list[Point]:
            for known, points in zip(self._read_ahead, pages, strict=False):
                if known == where:
                    return list(points)
            return search(self._by_id(where, order, limit or self._group.limit))

        listed = (point for point in by_id(fetch, page) if point.id not in others)
        ids = {point.id: str(point.payload[ID]) for point in islice(listed, count)}
        return values.with_tied(tied, ids, (low, high)), TiedProducts(ids, value)

    def _by_id(
        self, where: list[models.Condition], order: models.OrderBy | None, limit: int
    ) -> NearestQuery:
        group = replace(self._group, where=every(self._group.where, *where))
        payload = (ID,) if order is None else (ID, order.key)
        return NearestQuery(None, None, limit, order=order, payload=payload, among=group)

    @cached_property
    def _other_weights(self) -> NDArray[np.float32]:
        """Weights (terms,) other than the query's, the same in every process.

        One of several is negative: then Qdrant adds up in the order of the terms, as it does for
        all of a tie; else it may begin with others.
        """
        weights = np.random.default_rng(0).uniform(1.0, 2.0, len(self._row.indices))
        weights[1:2] *= -1
        return weights.astype(np.float32)

    def _values(self, relevance: QueryRelevance) -> tuple[float, float]:
        """Bounds of the order values of the tied products."""
        low, high = self._by_words(np.array(self._scores), relevance).tolist()
        return low, high

    def _by_words(
        self, scores: NDArray[np.float64], relevance: QueryRelevance
    ) -> NDArray[np.float64]:
        """The values that words scores (n,) make, whatever the looks."""
        least = np.full(len(scores), -1.0)
        named = np.full(len(scores), self._scope.named)
        return relevance.log_odds(Signals(least, least, words=scores, exact=named))

    def _value(
        self,
        ends: Sequence[Sequence[Point]],
        words: QueryWords,
        relevance: QueryRelevance,
    ) -> float | None:
        """The exact value of all tied products; None where their words may differ."""
        if not all(ends) or ends[0][0].score != -ends[1][0].score:
            return None
        return float(self._by_words(words_scores(ends[0], words, words.weights), relevance)[0])
