"""Rows of different lengths in two flat arrays, mapped from a file and taken without a loop."""

from __future__ import annotations

import heapq
import itertools
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Ints",
    "Strings",
    "inverted",
    "joined_offsets",
    "one_dictionary",
    "ragged_positions",
    "take_ragged",
]

Ints = NDArray[np.int64]

_TEXTS = 4096
"""Texts that are read out of a block at once."""
_CHUNK = 1 << 18
"""Entries that are sorted at once: a fraction of what a large column holds."""


def ragged_positions(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Where the given rows, in their order, lie in data[offsets[i]:offsets[i + 1]].

    Their own offsets, and the positions in the data.
    """
    starts, lengths = offsets[rows], offsets[rows + 1] - offsets[rows]
    new_offsets = np.concatenate(([0], np.cumsum(lengths)))
    positions = np.arange(new_offsets[-1]) + np.repeat(starts - new_offsets[:-1], lengths)
    return new_offsets, positions


def take_ragged(offsets: Ints, data: NDArray[Any], rows: Ints) -> tuple[Ints, NDArray[Any]]:
    """The given rows, in their order, of the ragged array data[offsets[i]:offsets[i + 1]]."""
    new_offsets, positions = ragged_positions(offsets, rows)
    return new_offsets, data[positions]


def joined_offsets(parts: Sequence[Ints]) -> Ints:
    """The offsets of all rows of ragged arrays that follow each other."""
    lengths = np.concatenate([np.diff(offsets) for offsets in parts])
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def inverted(
    offsets: Ints, codes: NDArray[np.int32], *, size: int
) -> tuple[Ints, NDArray[np.int32]]:
    """For each of `size` codes the rows of the ragged array that have it: offsets, and the rows,
    int32 and ascending.

    Sorted in parts: sorting all at once would take three times the memory of the answer.
    """
    ends = np.cumsum(np.bincount(codes, minlength=size))
    starts = np.concatenate(([0], ends))
    following, rows = starts[:-1].copy(), np.empty(len(codes), np.int32)
    for begin in range(0, len(codes), _CHUNK):
        some = codes[begin : begin + _CHUNK]
        order = np.argsort(some, kind="stable")
        owners = np.searchsorted(offsets, order + begin, side="right") - 1
        distinct, firsts, counts = np.unique(some[order], return_index=True, return_counts=True)
        places = np.arange(len(some)) + np.repeat(following[distinct] - firsts, counts)
        rows[places] = owners
        following[distinct] += counts
    return starts, rows


class Strings:
    """A sequence of texts as one block of UTF-8, whose byte order is the order of code points."""

    def __init__(self, offsets: Ints, data: NDArray[np.uint8]) -> None:
        self.offsets = offsets
        self.data = data

    @classmethod
    def of(cls, texts: Sequence[str]) -> Strings:
        """The texts in their order."""
        encoded = [text.encode() for text in texts]
        offsets = np.concatenate(([0], np.cumsum([len(e) for e in encoded], dtype=np.int64)))
        return cls(offsets, np.frombuffer(b"".join(encoded), np.uint8))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return self.encoded(row).decode()

    def encoded(self, row: int) -> bytes:
        """The UTF-8 of one text."""
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def each(self) -> Iterator[bytes]:
        """The UTF-8 of every text, one after the other."""
        for start in range(0, len(self), _TEXTS):
            bounds = self.offsets[start : start + _TEXTS + 1].tolist()
            utf8 = self.data[bounds[0] : bounds[-1]].tobytes()
            for begin, end in itertools.pairwise(bounds):
                yield utf8[begin - bounds[0] : end - bounds[0]]

    def all(self) -> list[str]:
        """Every text."""
        utf8, bounds = self.data.tobytes(), self.offsets.tolist()
        return [utf8[a:b].decode() for a, b in itertools.pairwise(bounds)]

    def take(self, rows: Ints) -> Strings:
        """The texts of these rows."""
        return Strings(*take_ragged(self.offsets, self.data, rows))

    @staticmethod
    def concat(parts: Sequence[Strings]) -> Strings:
        """The texts of all parts, one part after the other."""
        data = np.concatenate([part.data for part in parts])
        return Strings(joined_offsets([part.offsets for part in parts]), data)

    def find(self, text: str, *, order: NDArray[np.int32] | None = None) -> int | None:
        """The row of a text, None where it is missing; of equal texts the last.

        The texts are sorted, or `order` lists their rows in sorted order.
        """
        target, low, high = text.encode(), 0, len(self)
        # numbers of a memoryview are Python's, which an array makes anew at every step
        offsets, data = self.offsets.data, self.data.data
        rows = range(len(self)) if order is None else order.data
        while low < high:
            middle = (low + high) // 2
            row = rows[middle]
            if target < data[offsets[row] : offsets[row + 1]].tobytes():
                high = middle
            else:
                low = middle + 1
        if low == 0:
            return None
        row = low - 1 if order is None else int(order[low - 1])
        return row if self.encoded(row) == target else None


def one_dictionary(parts: Sequence[Strings]) -> tuple[Strings, list[NDArray[np.int32]]]:
    """Several sorted dictionaries merged into one, and for each the new number of each text.

    They are merged as they are read: as a set, the ids of a large catalogue would fill the memory.
    """

    def numbered(part: int) -> Iterator[tuple[bytes, int]]:
        return ((text, part) for text in parts[part].each())

    data, ends = bytearray(), array("q", [0])
    codes, last = [array("i") for _ in parts], None
    for text, part in heapq.merge(*map(numbered, range(len(parts)))):
        if text != last:
            data += text
            ends.append(len(data))
            last = text
        codes[part].append(len(ends) - 2)
    words = Strings(np.frombuffer(ends, np.int64), np.frombuffer(bytes(data), np.uint8))
    return words, [np.array(own, np.int32) for own in codes]
