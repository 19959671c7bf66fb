"""The scores that have been read for a fused query, by signal and product.

Qdrant adds up in float32, so each of its scores stands for a range of exact ones. The ranges of a
product's signals make a range of its order value, for that rises with every signal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vitrine.index.ports import SCORE_DECIMALS
from vitrine.index.qdrant.point import TEXT_VECTOR, VECTOR, WORDS, Point, SparseRow
from vitrine.index.qdrant.rescoring import SCORE_TOLERANCE, best_picture
from vitrine.products import Vector
from vitrine.relevance import LOG_ODDS_DECIMALS, QueryRelevance, Signals
from vitrine.words import QueryWords

__all__ = [
    "Channel",
    "OrderValues",
    "SignalTable",
    "channels_of",
    "exact_signals",
    "signals",
    "sparse_query",
    "words_scores",
]

_ROUNDING = 2.0**-23
"""How far Qdrant's sum of the weighted values of one term more may be from the exact one, as a
share of it: twice float32's error, for weights and values are rounded as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """A signal as Qdrant searches for it: its score, divided by `scale`, is the signal."""

    name: str
    vector: Vector | SparseRow
    scale: float = 1.0

    @property
    def is_words(self) -> bool:
        """Whether products that it does not find have no score at all."""
        return self.name == WORDS

    def bounds(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """The lowest and the highest exact scores that Qdrant's scores (n,) may stand for."""
        if isinstance(self.vector, SparseRow):  # nothing is negative, so errors do not outgrow it
            share = _ROUNDING * (len(self.vector.indices) + 1)
            return scores * (1 - share), scores * (1 + share)
        return scores - SCORE_TOLERANCE, scores + SCORE_TOLERANCE


def channels_of(vector: Vector | None, words: QueryWords, *, texts: bool) -> list[Channel]:
    """The signals that tell products apart for a query; `texts` where the version keeps vectors of
    its products' words."""
    channels = []
    if vector is not None:
        channels.append(Channel(VECTOR, vector))
        if texts:
            channels.append(Channel(TEXT_VECTOR, vector))
    row = sparse_query(words, words.weights)
    if row is not None:
        channels.append(Channel(WORDS, row, words.best))
    return channels


def sparse_query(words: QueryWords, weights: NDArray[np.float32]) -> SparseRow | None:
    """Words as a sparse query vector; None where no product can score."""
    weighing = weights > 0
    if words.best <= 0 or not weighing.any():
        return None
    return SparseRow(words.term_ids[weighing], weights[weighing])


@dataclass(frozen=True, slots=True, eq=False)
class OrderValues:
    """The points by their order values (n,), as near as is known: from `low` to `high`."""

    ids: list[str]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    by_words: NDArray[np.bool_]
    """Whether the words alone make it, so that exact cosines would change nothing."""

    def with_tied(
        self, tied: NDArray[np.bool_], ids: Collection[str], values: tuple[float, float]
    ) -> OrderValues:
        """These values with the points of `ids` in place of those that `tied` (n,) marks.

        `values` are the lowest and the highest order value of a tied point.
        """
        keep = ~tied
        others = [i for i, k in zip(self.ids, keep.tolist(), strict=True) if k]
        low, high = (np.full(len(ids), value) for value in values)
        return OrderValues(
            [*others, *ids],
            np.concatenate([self.low[keep], low]),
            np.concatenate([self.high[keep], high]),
            np.concatenate([self.by_words[keep], np.ones(len(ids), np.bool_)]),
        )

    @property
    def middle(self) -> NDArray[np.float64]:
        """The values that are taken for the exact ones where these do not matter."""
        return (self.low + self.high) / 2

    @property
    def tolerance(self) -> float:
        """How far a value in the middle may be from the exact one."""
        return float(np.max((self.high - self.low) / 2, initial=0.0)) + 10.0**-LOG_ODDS_DECIMALS


@dataclass(eq=False)
class SignalTable:
    """The scores that were read, by signal and point."""

    channels: list[Channel]
    named: set[str] = field(default_factory=set)
    """Points that the query names exactly."""
    all_named: bool = False
    """Whether all points of the table are named."""
    _scores: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scores = {channel.name: {} for channel in self.channels}

    def add(self, channel: Channel, points: Iterable[Point]) -> None:
        """Add the scores of the points that a search found."""
        self._scores[channel.name] |= {p.id: p.score / channel.scale for p in points}

    def missing(self, channel: Channel) -> list[str]:
        """Points that another search found, whose score for this signal is not known."""
        known = self._scores[channel.name]
        others = [ids for name, ids in self._scores.items() if name != channel.name]
        return [
            i
            for i in dict.fromkeys((*self.named, *(i for o in others for i in o)))
            if i not in known
        ]

    def mark_absent(self, channel: Channel, ids: Collection[str]) -> None:
        """Note which of the points that were asked for were not found: by words they score 0; by
        a vector every product has a score, so these have been deleted."""
        known = self._scores[channel.name]
        absent = [i for i in ids if i not in known]
        if channel.is_words:
            known |= dict.fromkeys(absent, 0.0)
            return
        for scores in self._scores.values():
            for i in absent:
                scores.pop(i, None)
        self.named.difference_update(absent)

    def values(self, relevance: QueryRelevance) -> OrderValues:
        """The order values of all points whose signals are known; those that match nothing are
        left out, and those that were deleted between two of the searches."""
        seen = self._seen()
        ids = [i for i in seen if all(i in known for known in self._scores.values())]
        named = self._named(ids)
        low, high = {}, {}
        for channel in self.channels:
            known = self._scores[channel.name]
            scores = np.array([known[i] for i in ids], np.float64)
            low[channel.name], high[channel.name] = channel.bounds(scores)
        least = relevance.log_odds(signals(low, named))
        most = relevance.log_odds(signals(high, named))
        worded = {name: low[name] if name == WORDS else high[name] for name in low}
        by_words = relevance.log_odds(signals(worded, named)) == least
        matching = np.isfinite(most)
        return OrderValues(
            [i for i, m in zip(ids, matching.tolist(), strict=True) if m],
            least[matching],
            most[matching],
            by_words[matching],
        )

    def kth_value_at_least(self, count: int, relevance: QueryRelevance) -> float:
        """A lower bound of the `count`-th largest order value; -inf for fewer points.

        Signals that have not been read count with the least they may be.
        """
        ids = list(self._seen())
        if len(ids) < count:
            return -np.inf
        scores = {}
        for channel in self.channels:
            known, lowest = self._scores[channel.name], 0.0 if channel.is_words else -1.0
            read = np.array([known.get(i, lowest) for i in ids], np.float64)
            scores[channel.name] = channel.bounds(read)[0]
        values = relevance.log_odds(signals(scores, self._named(ids)))
        return float(np.partition(values, -count)[-count])

    def _named(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        return np.array([self.all_named or i in self.named for i in ids], np.bool_)

    def _seen(self) -> dict[str, None]:
        return dict.fromkeys((*self.named, *(i for s in self._scores.values() for i in s)))


def signals(scores: dict[str, NDArray[np.float64]], named: NDArray[np.bool_]) -> Signals:
    """Scores by the names of their vectors, as the signals that relevance is made of."""
    none = np.zeros(len(named))
    return Signals(
        scores.get(VECTOR, none),
        scores.get(TEXT_VECTOR, none),
        words=scores.get(WORDS, none),
        exact=named,
    )


def exact_signals(
    points: Sequence[Point], vector: Vector | None, words: QueryWords, named: Sequence[bool]
) -> tuple[Signals, list[int | None]]:
    """The signals of points that were read with all their vectors, in float64, and the picture that
    is nearest to the vector."""
    scores = {WORDS: words_scores(points, words, words.weights)}
    images: list[int | None] = [None] * len(points)
    if vector is not None:
        row = vector.astype(np.float64)
        pictures = [best_picture(point, row) for point in points]
        scores[VECTOR] = np.array([cosine for cosine, _ in pictures], np.float64)
        images = [image for _, image in pictures]
        texts = [0.0 if p.text is None else float(p.text.astype(np.float64) @ row) for p in points]
        scores[TEXT_VECTOR] = np.array([round(t, SCORE_DECIMALS) for t in texts], np.float64)
    return signals(scores, np.array(named, np.bool_)), images


def words_scores(
    points: Sequence[Point], words: QueryWords, weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The words scores of points that were read with their words, float64 (points,)."""
    totals = np.zeros(len(points))
    if words.best <= 0:
        return totals
    for number, point in enumerate(points):
        if point.words is None:
            continue
        _, mine, its = np.intersect1d(
            words.term_ids, point.words.indices, assume_unique=True, return_indices=True
        )
        totals[number] = weights[mine].astype(np.float64) @ point.words.values[its]
    return totals / words.best
