"""Filter columns: one field's values over the rows of a segment, in arrays that can be mapped from a file.

Every column is built from plain values, taken by rows and concatenated, so that segments merge without their products.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints, Strings, concat_ragged, take_ragged

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
    """One number per row: float64 with NaN, int64 microseconds with `MISSING_TIME`, or int8 with `MISSING_BOOL` where a row has none."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    @cached_property
    def present(self) -> Mask:
        """Which rows have a value."""
        if self.values.dtype == np.float64:
            there: Mask = ~np.isnan(self.values)
            return there
        found: Mask = self.values != (
            MISSING_BOOL if self.values.dtype == np.int8 else MISSING_TIME
        )
        return found

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
    """Any number of words per row, as codes into a sorted dictionary, forwards (row -> codes) and backwards (code -> rows)."""

    def __init__(
        self,
        words: Strings,
        offsets: Ints,
        codes: NDArray[np.int32],
        *,
        postings: tuple[Ints, NDArray[np.int32]] | None = None,
    ) -> None:
        self.words = words
        self.offsets = offsets
        self.codes = codes
        if postings is not None:
            self.postings = postings

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> Keywords:
        """The column of rows of words; a word counts once per row."""
        unique = [tuple(dict.fromkeys(row)) for row in rows]
        words = sorted({word for row in unique for word in row})
        code = {word: i for i, word in enumerate(words)}
        offsets = np.concatenate(([0], np.cumsum([len(row) for row in unique], dtype=np.int64)))
        codes = np.fromiter(
            (code[w] for row in unique for w in row), np.int32, count=int(offsets[-1])
        )
        return cls(Strings.of(words), offsets, codes)

    @cached_property
    def postings(self) -> tuple[Ints, NDArray[np.int32]]:
        """For each code the rows that have it: (offsets, rows ascending)."""
        owners = np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))
        counts = np.bincount(self.codes, minlength=len(self.words))
        return np.concatenate(([0], np.cumsum(counts))), owners[
            np.argsort(self.codes, kind="stable")
        ]

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
            "word_offsets": self.words.offsets, "word_data": self.words.data, "offsets": self.offsets, "codes": self.codes,
            "posting_offsets": self.postings[0], "posting_rows": self.postings[1],
        }  # fmt: skip

    @classmethod
    def stored(cls, arrays: Arrays) -> Keywords:
        """The column that `arrays` described."""
        words = Strings(arrays["word_offsets"], arrays["word_data"])
        return cls(
            words,
            arrays["offsets"],
            arrays["codes"],
            postings=(arrays["posting_offsets"], arrays["posting_rows"]),
        )

    @staticmethod
    def concat(parts: Sequence[Keywords]) -> Keywords:
        """All rows of all parts."""
        lists = [p.words.all() for p in parts]
        words = sorted(set().union(*lists))
        code = {word: i for i, word in enumerate(words)}
        translations = [
            np.fromiter((code[w] for w in listed), np.int32, count=len(listed)) for listed in lists
        ]
        offsets, codes = concat_ragged(
            [(p.offsets, t[p.codes]) for p, t in zip(parts, translations, strict=True)]
        )
        return Keywords(Strings.of(words), offsets, codes.astype(np.int32))


class OrderedTexts:
    """One text per row, and the rows in the order of their texts."""

    def __init__(self, texts: Strings, *, order: NDArray[np.int32] | None = None) -> None:
        self.texts = texts
        if order is not None:
            self.order = order

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """The rows, sorted by text, equal texts by row."""
        block, bounds = self.texts.data.tobytes(), self.texts.offsets.tolist()
        encoded = [block[a:b] for a, b in itertools.pairwise(bounds)]
        return np.asarray(sorted(range(len(encoded)), key=encoded.__getitem__), np.int32)

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """Each row's place in that order; equal texts share one."""
        order = self.order
        sizes = np.diff(self.texts.offsets)[order]
        changes = np.ones(len(order), np.bool_)
        for place in np.flatnonzero(sizes[1:] == sizes[:-1]) + 1:
            changes[place] = self.texts.encoded(int(order[place])) != self.texts.encoded(
                int(order[place - 1])
            )
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.cumsum(changes) - 1
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
        found = cls(Strings(arrays["offsets"], arrays["data"]), order=arrays["order"])
        found.ranks = arrays["ranks"]  # fills the cached property
        return found

    @staticmethod
    def concat(parts: Sequence[OrderedTexts]) -> OrderedTexts:
        """All rows of all parts."""
        return OrderedTexts(Strings.concat([p.texts for p in parts]))
