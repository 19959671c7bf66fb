"""The words of a segment's rows: one posting list a term, each row with its value."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Arrays
from vitrine.storage.array_file import ArrayInParts, forget_pages
from vitrine.words import saturated

__all__ = ["WordPostings"]

_AT_ONCE = 1 << 20
"""Postings that are joined at once."""


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
    def of(cls, documents: Iterable[Mapping[int, float]]) -> WordPostings:
        """The words of rows in their order, each by `term_frequencies`."""
        terms, frequencies, lengths = array("I"), array("d"), array("q")
        for document in documents:  # as numbers, and not as all the documents at once
            terms.extend(document)
            frequencies.extend(document.values())
            lengths.append(len(document))
        rows = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        order = np.argsort(np.array(terms, np.uint32), kind="stable")
        distinct, counts = np.unique(np.array(terms, np.uint32)[order], return_counts=True)
        offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        values = saturated(np.array(frequencies, np.float64)[order])
        return cls(distinct, offsets, rows[order], values, size=len(lengths))

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
        """The words of these rows, which ascend."""
        numbers = np.full(self.size, -1, np.int32)
        numbers[rows] = np.arange(len(rows), dtype=np.int32)
        taken = numbers[self.rows]
        inside = taken >= 0
        counts = np.add.reduceat(np.append(inside, False), self.offsets[:-1], dtype=np.int64)
        used = counts > 0
        return WordPostings(
            self.terms[used],
            np.concatenate(([0], np.cumsum(counts[used]))),
            taken[inside],
            self.values[inside],
            size=len(rows),
        )

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
        terms, offsets = _all_terms(parts)
        rows, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
        following = offsets[:-1].copy()
        for part, start in zip(parts, starts, strict=False):
            own, of_each = np.searchsorted(terms, part.terms), np.diff(part.offsets)
            at = np.repeat(following[own] - part.offsets[:-1], of_each) + np.arange(len(part.rows))
            rows[at] = part.rows + np.int32(start)
            values[at] = part.values
            following[own] += of_each
        return WordPostings(terms, offsets, rows, values, size=int(starts[-1]))

    @staticmethod
    def joined(parts: Sequence[WordPostings]) -> Mapping[str, NDArray[Any] | ArrayInParts]:
        """The arrays of `concat`, of which memory holds the postings of some terms at a time.

        The parts are read once for the rows and once for the values.
        """
        terms, offsets = _all_terms(parts)
        firsts = np.searchsorted(offsets, np.arange(0, offsets[-1], _AT_ONCE), side="right") - 1
        firsts = np.unique(firsts)
        cuts = [np.append(np.searchsorted(p.terms, terms[firsts]), len(p.terms)) for p in parts]

        def some() -> Iterator[WordPostings]:
            for number in range(len(firsts)):
                yield WordPostings.concat(
                    [
                        part._of_terms(int(cut[number]), int(cut[number + 1]))
                        for part, cut in zip(parts, cuts, strict=True)
                    ]
                )
                for part in parts:
                    forget_pages(part.rows)
                    forget_pages(part.values)

        count = int(offsets[-1])
        return {
            "terms": terms,
            "offsets": offsets,
            "rows": ArrayInParts(np.dtype(np.int32), count, (own.rows for own in some())),
            "values": ArrayInParts(np.dtype(np.float32), count, (own.values for own in some())),
            "size": np.array([sum(part.size for part in parts)], np.int64),
        }

    def _of_terms(self, first: int, end: int) -> WordPostings:
        """The same rows with some of their terms, by place."""
        begin, last = self.offsets[first], self.offsets[end]
        return WordPostings(
            self.terms[first:end],
            self.offsets[first : end + 1] - begin,
            self.rows[begin:last],
            self.values[begin:last],
            size=self.size,
        )


def _all_terms(parts: Sequence[WordPostings]) -> tuple[NDArray[np.uint32], Ints]:
    """The terms of all parts, and the offsets of their rows when all are joined."""
    terms = np.unique(np.concatenate([part.terms for part in parts]))
    counts = np.zeros(len(terms), np.int64)
    for part in parts:
        counts[np.searchsorted(terms, part.terms)] += np.diff(part.offsets)
    return terms, np.concatenate(([0], np.cumsum(counts)))
