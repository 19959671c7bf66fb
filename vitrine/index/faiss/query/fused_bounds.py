"""What the order values of a fused query lie between, from one scan of 8-bit rows.

Exact values cost a vector each. A page needs those of its own products; the others need no more
than to be known as members of the set, or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import EXACT
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.combined import Bounds, cosine_bounds, float32_bounds
from vitrine.index.faiss.vectors.exact import kth_largest
from vitrine.index.fusion import Fusion
from vitrine.products import Vector
from vitrine.relevance import QueryRelevance, Signals

__all__ = ["FEW", "OrderBounds", "bound_order_values", "closer_bounds"]

FEW = 256
"""So few rows get their exact cosines sooner than bounds tell which of them need not."""

_ROUNDING = 1e-6
"""By which rounded order values may differ from what they are made of."""


@dataclass(frozen=True, eq=False)
class OrderBounds:
    """Rows of a segment (n,) that may belong to the set: their order values lie between `low` and
    `high`; `sure` says which belong to it for certain. (n,) each."""

    rows: Ints
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    sure: Mask

    @property
    def members(self) -> int:
        """How many belong to the set for certain."""
        return int(np.count_nonzero(self.sure))

    def to_settle(self, prefix: int, *, unsure: bool) -> Mask:
        """Which need exact values: those that may be among the `prefix` best, and with `unsure`
        those that may or may not belong to the set."""
        if len(self.rows) <= prefix:
            return np.ones(len(self.rows), np.bool_)
        needed: Mask = self.high >= kth_largest(self.low, prefix)
        return needed | ~self.sure if unsure else needed


def bound_order_values(
    segment: Segment, rows: Ints, vector: Vector, fusion: Fusion, relevance: QueryRelevance
) -> OrderBounds | None:
    """The bounds of those rows that may be close enough; None where 8-bit rows cannot tell."""
    picture, text = relevance.vector_weights
    if segment.quantized is None or picture < 0 or text < 0:
        return None
    if segment.texts is not None and segment.quantized_texts is None:
        return None
    pictures = cosine_bounds(segment.pictures, segment.quantized, rows, vector)
    texts = None
    if segment.texts is not None and text > 0:
        texts = cosine_bounds(segment.texts, segment.quantized_texts, rows, vector)
    signals = _Known.of(segment, rows, fusion)
    values = signals.order_values(pictures.high, _high(texts), relevance) + _ROUNDING
    least = _least(fusion)
    reached = np.flatnonzero(values >= least)
    lowest = signals.take(reached).order_values(
        pictures.low[reached], None if texts is None else texts.low[reached], relevance
    )
    lowest -= _ROUNDING
    return OrderBounds(rows[reached], lowest, values[reached], lowest >= least)


def closer_bounds(
    bounds: OrderBounds,
    places: Ints,
    segment: Segment,
    vector: Vector,
    fusion: Fusion,
    relevance: QueryRelevance,
) -> OrderBounds:
    """The same with closer ones at these places, by their float32 rows: a fiftieth as far apart."""
    rows = bounds.rows[places]
    pictures = float32_bounds(segment.pictures, rows, vector)
    texts = None
    if segment.texts is not None and relevance.vector_weights[1] > 0:
        texts = float32_bounds(segment.texts, rows, vector)
    signals = _Known.of(segment, rows, fusion)
    low, high = bounds.low.copy(), bounds.high.copy()
    low[places] = signals.order_values(
        pictures.low, None if texts is None else texts.low, relevance
    )
    low[places] -= _ROUNDING
    high[places] = signals.order_values(pictures.high, _high(texts), relevance) + _ROUNDING
    least = _least(fusion)
    reached = high >= least
    low = low[reached]
    return OrderBounds(bounds.rows[reached], low, high[reached], low >= least)


def _least(fusion: Fusion) -> float:
    return max(fusion.least, np.finfo(np.float64).min)


def _high(bounds: Bounds | None) -> NDArray[np.float64] | None:
    return None if bounds is None else bounds.high


@dataclass(frozen=True, eq=False)
class _Known:
    """Signals of products that are known exactly; (n,) each."""

    words: NDArray[np.float64]
    exact: Mask

    @classmethod
    def of(cls, segment: Segment, rows: Ints, fusion: Fusion) -> _Known:
        """Those of a segment's rows, ascending."""
        scores = np.zeros(len(rows))
        if fusion.words.best > 0 and not fusion.words.empty:
            totals = segment.words.totals(fusion.words.term_ids, fusion.words.weights)
            scores = totals[rows] / fusion.words.best
        return cls(scores, _named(segment, rows, fusion.words.exact_key))

    def take(self, places: Ints) -> _Known:
        """These products."""
        return _Known(self.words[places], self.exact[places])

    def order_values(
        self,
        picture: NDArray[np.float64],
        text: NDArray[np.float64] | None,
        relevance: QueryRelevance,
    ) -> NDArray[np.float64]:
        """With these cosines; `log_odds`, which costs more, only of products that match a word or
        are named."""
        text = np.zeros(len(picture)) if text is None else text
        values = relevance.unmatched_log_odds(picture, text)
        others = np.flatnonzero((self.words > 0) | self.exact)
        part = self.take(others)
        signals = Signals(picture[others], text[others], words=part.words, exact=part.exact)
        values[others] = relevance.log_odds(signals)
        return values


def _named(segment: Segment, rows: Ints, key: str) -> Mask:
    """Which of the rows, ascending, the query names exactly."""
    exact = np.zeros(len(segment), np.bool_)
    exact[segment.keywords(EXACT).rows_of(key)] = True
    named: Mask = exact[rows]
    return named
