"""Bounds of the order values of a fused query, from one scan of 8-bit rows.

Exact values cost a vector each. A page needs those of its own products; the others need no more
than to be known as members of the set, or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import ID
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.fused_query import FusedQuery
from vitrine.index.faiss.query.word_signals import WordSignals
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.combined import Bounds, Floats, cosine_bounds, float32_bounds
from vitrine.index.faiss.vectors.exact import FLOAT32_ERROR, kth_largest
from vitrine.products import Vector
from vitrine.relevance import LOG_ODDS_DECIMALS

__all__ = ["FEW", "OrderBounds", "bound_order_values", "closer_bounds", "first_ids"]

FEW = 256
"""So few rows get their exact cosines sooner than bounds tell which of them need not."""

_ROUNDING = 1e-6
"""By which rounded order values may differ from what they are made of."""


@dataclass(frozen=True, eq=False)
class OrderBounds:
    """Rows of a segment (n,) that may matter for the answer, with what words say of them: their
    order values lie between `low` and `high`; `sure` says which belong to the set for certain. (n,)
    each. So do `others`, a number of rows that do not matter."""

    rows: Ints
    signals: WordSignals
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    sure: Mask
    others: int

    @property
    def members(self) -> int:
        """How many belong to the set for certain."""
        return self.others + int(np.count_nonzero(self.sure))

    def take(self, places: Ints) -> OrderBounds:
        """The bounds of some of the rows."""
        signals, low, high = self.signals.take(places), self.low[places], self.high[places]
        return OrderBounds(self.rows[places], signals, low, high, self.sure[places], self.others)

    def need_exact_values(self, segment: Segment, prefix: int, *, unsure: bool) -> Mask:
        """Mask (n,) of the rows that need exact values: those that may be among the `prefix` best,
        and with `unsure` those that may or may not belong to the set."""
        if len(self.rows) <= prefix:
            return np.ones(len(self.rows), np.bool_)
        least = kth_largest(self.low, prefix)
        needed: Mask = self.high >= least
        # of those that are known to have the same value, the first ids come first
        tied = np.flatnonzero((self.low == least) & (self.high == least))
        before = int(np.count_nonzero(self.low > least))
        needed[tied] = False
        needed[tied[first_ids(segment, self.rows[tied], prefix - before)]] = True
        return needed | ~self.sure if unsure else needed


def first_ids(segment: Segment, rows: Ints, count: int) -> Ints:
    """Positions of the `count` rows (or all) whose ids come first, in no order."""
    if len(rows) <= count:
        return np.arange(len(rows))
    return np.argpartition(segment.ordered(ID).ranks[rows], count)[:count]


def bound_order_values(
    segment: Segment,
    mask: Mask,
    vector: Vector,
    signals: WordSignals,
    query: FusedQuery,
) -> OrderBounds | None:
    """Bounds of those rows of the mask that may belong to the set; None where 8-bit rows cannot
    tell.

    `signals` are those of the whole segment. Vectors that do not count are not read, nor the texts
    of products that are too far by their pictures, whatever their texts say.
    """
    relevance, least = query.relevance, query.least
    if segment.quantized is None or min(relevance.vector_weights) < 0:
        return None
    if segment.texts is not None and segment.quantized_texts is None:
        return None
    picture_counts, text_counts = relevance.counted
    most_text, texts, others = 1 + FLOAT32_ERROR, None, 0
    # where the mask has most rows, to gather them costs more than to go through the others as well
    gathered = 2 * np.count_nonzero(mask) <= len(mask) or not picture_counts
    rows = np.flatnonzero(mask) if gathered else np.arange(len(mask))
    if picture_counts:
        pictures = cosine_bounds(segment.pictures, segment.quantized, rows, vector)
        # most match no word and are too far: a comparison of cosines costs less than order values
        least_picture = relevance.least_picture(least - _ROUNDING, most_text) - _ROUNDING
        close = pictures.high >= least_picture
        close |= signals.matched[rows] if gathered else signals.matched
        reached = np.flatnonzero(close if gathered else close & mask)
        rows, pictures = rows[reached], pictures.take(reached)
    else:
        pictures = Bounds(np.zeros(len(rows)), np.zeros(len(rows)))
    signals = signals.take(rows)
    if segment.texts is not None and text_counts:
        any_text = np.broadcast_to(np.float64(most_text), len(rows))
        high = signals.order_values(pictures.high, any_text, relevance) + _ROUNDING
        reached = np.flatnonzero(high >= least)
        rows, signals, pictures = rows[reached], signals.take(reached), pictures.take(reached)
        low = signals.order_values(pictures.low, -any_text[reached], relevance) - _ROUNDING
        reached = np.flatnonzero(high[reached] >= query.least_needed(low))
        others = int(np.count_nonzero(low >= least) - np.count_nonzero(low[reached] >= least))
        rows, signals, pictures = rows[reached], signals.take(reached), pictures.take(reached)
        if len(rows):
            texts = cosine_bounds(segment.texts, segment.quantized_texts, rows, vector)
    high = signals.order_values(pictures.high, _high(texts), relevance)
    reached = np.flatnonzero(high + _ROUNDING >= least)
    signals, pictures = signals.take(reached), pictures.take(reached)
    texts = None if texts is None else texts.take(reached)
    low = signals.order_values(pictures.low, _low(texts), relevance)
    low, high = _values_between(low, high[reached])
    return OrderBounds(rows[reached], signals, low, high, low >= least, others)


def closer_bounds(
    bounds: OrderBounds,
    places: Ints,
    segment: Segment,
    vector: Vector,
    query: FusedQuery,
) -> OrderBounds:
    """The same with closer ones at these places, by their float32 rows: a fiftieth as far apart."""
    rows, signals = bounds.rows[places], bounds.signals.take(places)
    relevance, least = query.relevance, query.least
    pictures = float32_bounds(segment.pictures, rows, vector)
    texts = None
    if segment.texts is not None and relevance.counted[1]:
        texts = float32_bounds(segment.texts, rows, vector)
    lowest, highest = _values_between(
        signals.order_values(pictures.low, _low(texts), relevance),
        signals.order_values(pictures.high, _high(texts), relevance),
    )
    low, high = bounds.low.copy(), bounds.high.copy()
    low[places] = np.maximum(low[places], lowest)
    high[places] = np.minimum(high[places], highest)
    closer_by = replace(bounds, low=low, high=high, sure=low >= least)
    return closer_by.take(np.flatnonzero(high >= least))


def _values_between(
    low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of rounded order values, from bounds of the values before rounding.

    Order values never fall when a signal rises. So where both are the same, the value is known:
    what the vectors say does not count there.
    """
    known = low == high
    values = np.round(high, LOG_ODDS_DECIMALS) + 0.0
    return np.where(known, values, low - _ROUNDING), np.where(known, values, high + _ROUNDING)


def _high(bounds: Bounds | None) -> Floats | None:
    return None if bounds is None else bounds.high


def _low(bounds: Bounds | None) -> Floats | None:
    return None if bounds is None else bounds.low
