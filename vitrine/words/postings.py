"""Words scores of many products at once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vitrine.words.document import DocumentWords
from vitrine.words.query import QueryWords

__all__ = ["Postings", "PostingsWriter"]


class PostingsWriter:
    """Takes the words of products one after the other, in any order, 12 bytes a term."""

    def __init__(self) -> None:
        self._rows, self._terms, self._values = array("i"), array("I"), array("f")

    def add(self, row: int, document: DocumentWords) -> None:
        """Note the words of the product that has this row."""
        self._rows.frombytes(np.full(len(document.term_ids), row, np.int32).tobytes())
        self._terms.frombytes(document.term_ids.tobytes())
        self._values.frombytes(document.values.tobytes())

    def postings(self, size: int, *, places: NDArray[np.int64] | None = None) -> Postings:
        """The words of so many products; the one of row r has the row places[r] where that is
        given.

        The writer is empty afterwards: what has been put in order is let go, part by part.
        """
        order = np.argsort(np.frombuffer(self._terms, np.uint32), kind="stable")
        rows = np.frombuffer(self._rows, np.int32)[order]
        self._rows = array("i")
        rows = rows if places is None else places.astype(np.int32)[rows]
        values = np.frombuffer(self._values, np.float32)[order]
        self._values = array("f")
        terms = np.frombuffer(self._terms, np.uint32)[order]
        self._terms = array("I")
        return Postings(terms, rows, values, size=size)


class Postings:
    """The products of a list by term, in memory: for learning, measuring and as an oracle of
    indexes.

    `terms` is uint32, ascending; the product `rows` (int32) has each with its value (float32).
    """

    def __init__(
        self,
        terms: NDArray[np.uint32],
        rows: NDArray[np.int32],
        values: NDArray[np.float32],
        *,
        size: int,
    ) -> None:
        self._terms, self._rows, self._values, self._size = terms, rows, values, size

    @classmethod
    def of(cls, documents: Iterable[DocumentWords]) -> Postings:
        """The words of products in their order."""
        writer, size = PostingsWriter(), 0
        for row, document in enumerate(documents):
            writer.add(row, document)
            size = row + 1
        return writer.postings(size)

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
            values = self._values[start:end].astype(np.float64)
            totals[self._rows[start:end]] += weight * values
        return totals / query.best if query.best > 0 else totals
