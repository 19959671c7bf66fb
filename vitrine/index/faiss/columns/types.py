"""Filter columns: one field's values over the rows of a segment, in arrays mapped from a file.

Every column is built from plain values, taken by rows and concatenated, so segments merge without
their products.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import (
    Ints,
    Strings,
    inverted,
    joined_offsets,
    one_dictionary,
    take_ragged,
)

__all__ = [
    "MISSING_BOOL",
    "MISSING_TIME",
    "Arrays",
    "Column",
    "Keywords",
    "Mask",
    "Numbers",
    "OrderedTexts",
]

Mask: TypeAlias = NDArray[np.bool_]
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Postings: TypeAlias = tuple[Ints, NDArray[np.int32]]
MISSING_TIME = np.iinfo(np.int64).min
MISSING_BOOL = -1


class Column(Protocol):
    """What segments need of every column."""

    def take(self, rows: Ints) -> Column:
        """The column of these rows."""
        ...

    def arrays(self) -> Arrays:
        """What has to be stored; the class's constructor takes the same arrays."""
        ...


class Numbers:
    """One number per row.

    float64, int64 microseconds or int8; NaN, `MISSING_TIME` or `MISSING_BOOL` where a row has none.
    """

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    @cached_property
    def present(self) -> Mask:
        """Which rows have a value."""
        if self.values.dtype == np.float64:
            numbers: Mask = ~np.isnan(self.values)
            return numbers
        missing = MISSING_BOOL if self.values.dtype == np.int8 else MISSING_TIME
        present: Mask = self.values != missing
        return present

    def take(self, rows: Ints) -> Numbers:
        """The column of these rows."""
        return Numbers(self.values[rows])

    def arrays(self) -> Arrays:
        """The one array."""
        return {"values": self.values}

    @staticmethod
    def concat(parts: Sequence[Numbers]) -> Numbers:
        """All rows of all parts."""
        return Numbers(np.concatenate([p.values for p in parts]))


class Keywords:
    """Any number of words per row, as codes into a sorted dictionary.

    Forwards row i has the codes codes[offsets[i]:offsets[i + 1]]; backwards `postings` has the
    rows of each code.
    """

    def __init__(
        self,
        words: Strings,
        offsets: Ints,
        codes: NDArray[np.int32],
        *,
        postings: Postings | None = None,
    ) -> None:
        self.words = words
        self.offsets = offsets
        self.codes = codes
        self._postings = postings
        self._folded: FoldedWords | None = None

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> Keywords:
        """The column of rows of words; a word counts once per row."""
        unique = [tuple(dict.fromkeys(row)) for row in rows]
        words = sorted(set(itertools.chain.from_iterable(unique)))
        code = {word: i for i, word in enumerate(words)}
        offsets = np.concatenate(([0], np.cumsum([len(row) for row in unique], dtype=np.int64)))
        codes = (code[word] for word in itertools.chain.from_iterable(unique))
        return cls(Strings.of(words), offsets, np.fromiter(codes, np.int32, count=int(offsets[-1])))

    @cached_property
    def postings(self) -> Postings:
        """For each code the rows that have it: (offsets, rows ascending)."""
        if self._postings is not None:
            return self._postings
        return inverted(self.offsets, self.codes, size=len(self.words))

    @cached_property
    def present(self) -> Mask:
        """Which rows have a word."""
        return np.diff(self.offsets) > 0

    @cached_property
    def single(self) -> bool:
        """Whether every row has exactly one word, so that row numbers are positions in `codes`."""
        return len(self.codes) == len(self.offsets) - 1 and bool(self.present.all())

    def rows_of(self, word: str) -> NDArray[np.int32]:
        """The rows that have the word, ascending."""
        code = self.words.find(word)
        offsets, rows = self.postings
        return rows[:0] if code is None else rows[offsets[code] : offsets[code + 1]]

    def folded(self, form: Callable[[str], str]) -> FoldedWords:
        """The words by what `form` folds them to; it is always the same for one column."""
        if self._folded is None:
            self._folded = FoldedWords(self.words.all(), form)
        return self._folded

    def rows_alike(self, folded: str, form: Callable[[str], str]) -> NDArray[np.int32]:
        """The rows that have a word of this form, some perhaps twice."""
        offsets, rows = self.postings
        parts = [rows[offsets[c] : offsets[c + 1]] for c in self.folded(form).codes(folded)]
        return parts[0] if len(parts) == 1 else np.concatenate([rows[:0], *parts])

    @cached_property
    def first_codes(self) -> NDArray[np.int32]:
        """Each row's first code, -1 where it has none."""
        firsts = np.full(len(self.offsets) - 1, -1, np.int32)
        firsts[self.present] = self.codes[self.offsets[:-1][self.present]]
        return firsts

    def take(self, rows: Ints) -> Keywords:
        """The column of these rows, without the words that none of them has."""
        offsets, codes = take_ragged(self.offsets, self.codes, rows)
        used = np.unique(codes)
        return Keywords(
            self.words.take(used.astype(np.int64)),
            offsets,
            np.searchsorted(used, codes).astype(np.int32),
        )

    def arrays(self) -> Arrays:
        """Dictionary, forward and backward arrays."""
        return {
            "word_offsets": self.words.offsets,
            "word_data": self.words.data,
            "offsets": self.offsets,
            "codes": self.codes,
            "posting_offsets": self.postings[0],
            "posting_rows": self.postings[1],
        }

    @classmethod
    def stored(cls, arrays: Arrays) -> Keywords:
        """The column that `arrays` described."""
        words = Strings(arrays["word_offsets"], arrays["word_data"])
        postings = (arrays["posting_offsets"], arrays["posting_rows"])
        return cls(words, arrays["offsets"], arrays["codes"], postings=postings)

    @staticmethod
    def concat(parts: Sequence[Keywords]) -> Keywords:
        """All rows of all parts."""
        words, numbers = one_dictionary([part.words for part in parts])
        offsets = joined_offsets([part.offsets for part in parts])
        codes, start = np.empty(offsets[-1], np.int32), 0
        for part, new_codes in zip(parts, numbers, strict=True):
            np.take(new_codes, part.codes, out=codes[start : (end := start + len(part.codes))])
            start = end
        return Keywords(words, offsets, codes)


class FoldedWords:
    """The codes of a dictionary's words by their folded forms; made at the first filter or facet.

    `several` (n,) tells of each code whether another word has its form.
    """

    def __init__(self, words: Sequence[str], form: Callable[[str], str]) -> None:
        folded = [form(word) for word in words]
        order = sorted(range(len(words)), key=folded.__getitem__)
        self._codes = np.asarray(order, np.int32)
        self._forms = Strings.of([folded[code] for code in order])
        self.several = np.zeros(len(words), np.bool_)
        for one, other in itertools.pairwise(order):
            if folded[one] == folded[other]:
                self.several[[one, other]] = True

    def codes(self, folded: str) -> list[int]:
        """The codes of the words of this form; none where there is no such word."""
        last = self._forms.find(folded)
        if last is None:
            return []
        first, target = last, folded.encode()
        while first > 0 and self._forms.encoded(first - 1) == target:
            first -= 1
        return cast(list[int], self._codes[first : last + 1].tolist())


class OrderedTexts:
    """One text per row, and the rows in the order of their texts."""

    def __init__(
        self,
        texts: Strings,
        *,
        order: NDArray[np.int32] | None = None,
        ranks: NDArray[np.int32] | None = None,
    ) -> None:
        self.texts = texts
        self._order = order
        self._ranks = ranks

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """The rows, sorted by text, equal texts by row."""
        if self._order is not None:
            return self._order
        encoded = list(self.texts.each())
        return np.asarray(sorted(range(len(encoded)), key=encoded.__getitem__), np.int32)

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """Each row's place in that order; equal texts share one."""
        if self._ranks is not None:
            return self._ranks
        order, encoded = self.order, list(self.texts.each())
        ordered = map(encoded.__getitem__, order.tolist())
        differs = [text != previous for previous, text in itertools.pairwise(ordered)]
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.cumsum([0, *differs])[: len(order)]
        return ranks

    def take(self, rows: Ints) -> OrderedTexts:
        """The column of these rows."""
        return OrderedTexts(self.texts.take(rows))

    def arrays(self) -> Arrays:
        """Texts, order and ranks."""
        return {
            "offsets": self.texts.offsets,
            "data": self.texts.data,
            "order": self.order,
            "ranks": self.ranks,
        }

    @classmethod
    def stored(cls, arrays: Arrays) -> OrderedTexts:
        """The column that `arrays` described."""
        texts = Strings(arrays["offsets"], arrays["data"])
        return cls(texts, order=arrays["order"], ranks=arrays["ranks"])

    @staticmethod
    def concat(parts: Sequence[OrderedTexts]) -> OrderedTexts:
        """All rows of all parts."""
        return OrderedTexts(Strings.concat([p.texts for p in parts]))
