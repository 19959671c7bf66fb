"""Words scores of many products at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.words.document import DocumentWords
from vitrine.words.query import QueryWords

__all__ = ["Postings"]


class Postings:
    """The products of a list by term, in memory: for learning, measuring and as an oracle of
    indexes."""

    def __init__(self, documents: Sequence[DocumentWords]) -> None:
        self._size = len(documents)
        lengths = [len(document.term_ids) for document in documents]
        terms = np.concatenate([np.zeros(0, np.uint32), *(d.term_ids for d in documents)])
        order = np.argsort(terms, kind="stable")
        self._terms = terms[order]
        self._rows = np.repeat(np.arange(self._size, dtype=np.int32), lengths)[order]
        values = np.concatenate([np.zeros(0, np.float32), *(d.values for d in documents)])
        self._values = values[order].astype(np.float64)

    def scores(self, query: QueryWords) -> NDArray[np.float64]:
        """The words score of every product, float64 (n,), 0 where no term matches."""
        return self._scores(query, query.weights)

    def core_scores(self, query: QueryWords) -> NDArray[np.float64]:
        """The words score of every product by core words, float64 (n,)."""
        return self._scores(query, query.core)

    def _scores(self, query: QueryWords, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        totals = np.zeros(self._size)
        for term, weight in zip(query.term_ids, weights.astype(np.float64), strict=True):
            start, end = np.searchsorted(self._terms, [term, term + np.uint64(1)])
            totals[self._rows[start:end]] += weight * self._values[start:end]
        return totals / query.best if query.best > 0 else totals
