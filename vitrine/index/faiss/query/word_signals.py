"""What a query's words say of a segment's products: the signals that are known without a vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import EXACT
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.combined import Floats
from vitrine.relevance import QueryRelevance, Signals
from vitrine.words import QueryWords

__all__ = ["WordSignals"]


@dataclass(frozen=True, eq=False)
class WordSignals:
    """Words scores of products, and whether the query names them exactly; (n,) each."""

    words: NDArray[np.float64]
    exact: Mask

    @classmethod
    def of(cls, segment: Segment, words: QueryWords) -> WordSignals:
        """Those of all rows of a segment."""
        exact = np.zeros(len(segment), np.bool_)
        exact[segment.keywords(EXACT).rows_of(words.exact_key)] = True
        if words.best <= 0:
            return cls(np.zeros(len(segment)), exact)
        return cls(segment.words.totals(words.term_ids, words.weights) / words.best, exact)

    @property
    def matched(self) -> Mask:
        """Which products match a word or are named exactly."""
        return (self.words > 0) | self.exact

    def take(self, rows: Ints) -> WordSignals:
        """Those of some of the products."""
        return WordSignals(self.words[rows], self.exact[rows])

    def with_cosines(self, picture: Floats, text: Floats | None) -> Signals:
        """All signals; `text` is None without text vectors."""
        return Signals(picture, 0.0 if text is None else text, words=self.words, exact=self.exact)

    def order_values(
        self,
        picture: Floats,
        text: Floats | None,
        relevance: QueryRelevance,
    ) -> NDArray[np.float64]:
        """What the products are ordered by with these cosines, not rounded.

        `log_odds`, which costs more, is for products that match a word or are named alone.
        """
        values = relevance.unmatched_log_odds(picture, 0.0 if text is None else text)
        others = np.flatnonzero(self.matched)
        signals = self.take(others).with_cosines(
            picture[others], None if text is None else text[others]
        )
        values[others] = relevance.log_odds(signals)
        return values
