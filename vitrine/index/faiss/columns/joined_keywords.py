"""Columns of words joined for a file, of which memory holds a part at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints, joined_offsets, one_dictionary
from vitrine.index.faiss.columns.types import Keywords
from vitrine.storage.array_file import ArrayInParts, forget_pages

__all__ = ["joined_keywords"]

_AT_ONCE, _PASSES = 1 << 18, 64
"""Entries that are in memory at once: so many, or the column's by the times that it is read at
most."""


def joined_keywords(parts: Sequence[Keywords]) -> Mapping[str, NDArray[Any] | ArrayInParts]:
    """The arrays of `Keywords.concat`."""
    words, numbers = one_dictionary([part.words for part in parts])
    offsets = joined_offsets([part.offsets for part in parts])
    counts = np.zeros(len(words), np.int64)
    for part, own in zip(parts, numbers, strict=True):
        counts[own] += np.bincount(part.codes, minlength=len(own))
    ends, count = np.concatenate(([0], np.cumsum(counts))), int(offsets[-1])
    return {
        "word_offsets": words.offsets,
        "word_data": words.data,
        "offsets": offsets,
        "codes": ArrayInParts(np.dtype(np.int32), count, _codes(parts, numbers)),
        "posting_offsets": ends,
        "posting_rows": ArrayInParts(np.dtype(np.int32), count, _rows(parts, numbers, ends)),
    }


def _codes(
    parts: Sequence[Keywords], numbers: Sequence[NDArray[np.int32]]
) -> Iterator[NDArray[np.int32]]:
    """All codes; `numbers` are those of each part's words."""
    for part, own in zip(parts, numbers, strict=True):
        for _, codes in _blocks(part):
            yield own[codes]


def _rows(
    parts: Sequence[Keywords], numbers: Sequence[NDArray[np.int32]], ends: Ints
) -> Iterator[NDArray[np.int32]]:
    """The rows of each code, ascending: the parts are read once for each stretch of codes."""
    starts = np.cumsum([0, *(len(part.offsets) - 1 for part in parts)]).tolist()
    at_once = max(_AT_ONCE, int(ends[-1]) // _PASSES)
    firsts = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], at_once), side="right") - 1)
    for first, last in itertools.pairwise([*firsts.tolist(), len(ends) - 1]):
        rows, codes = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for part, own, start in zip(parts, numbers, starts, strict=False):
            low, high = np.searchsorted(own, [first, last])  # a part's words are in order, too
            for begin, some in _blocks(part) if low < high else ():
                places = np.flatnonzero((some >= low) & (some < high))
                owners = np.searchsorted(part.offsets, places + begin, side="right") - 1
                rows.append((owners + start).astype(np.int32))
                codes.append(own[some[places]])
        yield np.concatenate(rows)[np.argsort(np.concatenate(codes), kind="stable")]


def _blocks(part: Keywords) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """The codes, some at a time, and the place of the first."""
    for begin in range(0, len(part.codes), _AT_ONCE):
        some = part.codes[begin : begin + _AT_ONCE]
        yield begin, some
        forget_pages(some)
