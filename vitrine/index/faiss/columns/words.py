"""The words of a segment's rows: one posting list a term, each row with its value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Arrays
from vitrine.words import DocumentWords

__all__ = ["WordPostings"]


class WordPostings:
    """Term t has the rows rows[offsets[t]:offsets[t + 1]], ascending, and their float32 values.

    `terms` is uint32 (terms,), ascending: the term ids of `vitrine.words`. `size` rows in all. The
    values are the product's side of BM25 as `DocumentWords` has them, so a row costs 8 bytes a
    term.
    """

    def __init__(
        self,
        terms: NDArray[np.uint32],
        offsets: Ints,
        rows: NDArray[np.int32],
        values: NDArray[np.float32],
        *,
        size: int,
    ) -> None:
        self.terms = terms
        self.offsets = offsets
        self.rows = rows
        self.values = values
        self.size = size

    @classmethod
    def of(cls, documents: Sequence[DocumentWords]) -> WordPostings:
        """The words of rows in their order."""
        lengths = [len(document.term_ids) for document in documents]
        rows = np.repeat(np.arange(len(documents), dtype=np.int32), lengths)
        terms = np.concatenate([np.zeros(0, np.uint32), *(d.term_ids for d in documents)])
        values = np.concatenate([np.zeros(0, np.float32), *(d.values for d in documents)])
        return cls._sorted(terms, rows, values, size=len(documents))

    @classmethod
    def _sorted(
        cls,
        terms: NDArray[np.uint32],
        rows: NDArray[np.int32],
        values: NDArray[np.float32],
        *,
        size: int,
    ) -> WordPostings:
        """From entries whose rows ascend within each term."""
        order = np.argsort(terms, kind="stable")
        distinct, counts = np.unique(terms[order], return_counts=True)
        offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        return cls(distinct, offsets, rows[order], values[order], size=size)

    def rows_of(self, term: int) -> NDArray[np.int32]:
        """The rows that have the term id, ascending."""
        place = int(np.searchsorted(self.terms, np.uint32(term)))
        if place == len(self.terms) or int(self.terms[place]) != term:
            return self.rows[:0]
        return self.rows[self.offsets[place] : self.offsets[place + 1]]

    def totals(
        self, term_ids: NDArray[np.uint32], weights: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """The sum of weight times value of every row, float64 (size,); 0 where no term matches.

        Terms are added in ascending order, so that the sum is the same on every backend to the last
        bit.
        """
        totals = np.zeros(self.size)
        places = np.searchsorted(self.terms, term_ids)
        for place, term, weight in zip(places.tolist(), term_ids, weights, strict=True):
            if place < len(self.terms) and self.terms[place] == term:
                start, end = self.offsets[place], self.offsets[place + 1]
                totals[self.rows[start:end]] += float(weight) * self.values[start:end].astype(
                    np.float64
                )
        return totals

    def take(self, rows: Ints) -> WordPostings:
        """The words of these rows."""
        numbers = np.full(self.size, -1, np.int32)
        numbers[rows] = np.arange(len(rows), dtype=np.int32)
        taken = numbers[self.rows]
        inside = taken >= 0
        terms = np.repeat(self.terms, np.diff(self.offsets))[inside]
        new_rows, values = taken[inside], self.values[inside]
        by_row = np.argsort(new_rows, kind="stable")
        return self._sorted(terms[by_row], new_rows[by_row], values[by_row], size=len(rows))

    def arrays(self) -> Arrays:
        """The four arrays and the number of rows."""
        return {
            "terms": self.terms,
            "offsets": self.offsets,
            "rows": self.rows,
            "values": self.values,
            "size": np.array([self.size], np.int64),
        }

    @classmethod
    def stored(cls, arrays: Arrays) -> WordPostings:
        """The column that `arrays` described."""
        return cls(
            arrays["terms"],
            arrays["offsets"],
            arrays["rows"],
            arrays["values"],
            size=int(arrays["size"][0]),
        )

    @staticmethod
    def concat(parts: Sequence[WordPostings]) -> WordPostings:
        """All rows of all parts."""
        starts = np.cumsum([0, *(part.size for part in parts)])
        rows = [part.rows + np.int32(start) for part, start in zip(parts, starts, strict=False)]
        terms = [np.repeat(part.terms, np.diff(part.offsets)) for part in parts]
        return WordPostings._sorted(
            np.concatenate(terms),
            np.concatenate(rows),
            np.concatenate([part.values for part in parts]),
            size=int(starts[-1]),
        )
