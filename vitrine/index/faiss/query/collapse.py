"""Keeping only the first product of each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.query.ordering import SortKey, ordered_rows, sort_key, sort_value
from vitrine.index.faiss.segment import Segment
from vitrine.queries import Sort

__all__ = ["collapsed", "group_numbers"]


def collapsed(segments: list[Segment], masks: list[Mask], *, field: str, sort: Sort) -> list[Mask]:
    """The masks reduced to the first row of each group in the sort's order, over all segments."""
    firsts = [
        _first_rows(segment, mask, field, sort)
        for segment, mask in zip(segments, masks, strict=True)
    ]
    for i in range(1, len(segments)):
        for segment_index, code in _duplicates(i, segments, firsts, field=field, sort=sort):
            firsts[segment_index][code] = -1
    reduced = []
    for segment, mask, rows in zip(segments, masks, firsts, strict=True):
        remaining = mask & (segment.keywords(field).first_codes < 0)
        remaining[rows[rows >= 0]] = True
        reduced.append(remaining)
    return reduced


def _first_rows(segment: Segment, mask: Mask, field: str, sort: Sort) -> Ints:
    """For each code of the field the first row of the mask in that group, -1 where none is."""
    column, order = segment.keywords(field), ordered_rows(segment, sort)
    rows = order[mask[order]]
    groups = column.first_codes[rows]
    rows, groups = rows[groups >= 0], groups[groups >= 0]
    codes, places = np.unique(groups, return_index=True)
    first_rows = np.full(len(column.words), -1, np.int64)
    first_rows[codes] = rows[places]
    return first_rows


def _duplicates(
    i: int, segments: list[Segment], firsts: list[Ints], *, field: str, sort: Sort
) -> Iterator[tuple[int, int]]:
    """Where segment `i` and an earlier one share a group: (segment, code) of the later row."""
    words = segments[i].keywords(field).words
    for code in np.flatnonzero(firsts[i] >= 0).tolist():
        for j in range(i):
            other = segments[j].keywords(field).words.find(words[code])
            if other is None or firsts[j][other] < 0:
                continue
            mine = _key(segments[i], firsts[i][code], sort)
            theirs = _key(segments[j], firsts[j][other], sort)
            yield (j, other) if mine < theirs else (i, code)
            break


def _key(segment: Segment, row: int, sort: Sort) -> SortKey:
    return sort_key(sort_value(segment, int(row), sort), segment.id(int(row)), sort)


def group_numbers(segments: Sequence[Segment], rows: Sequence[Ints], field: str) -> list[Ints]:
    """Of each segment a number for the group of each of its rows, the same in all segments.

    Each row without a group has a negative number of its own.
    """
    numbers: dict[str, int] = {}
    alone, groups = 0, []
    for segment, own in zip(segments, rows, strict=True):
        column = segment.keywords(field)
        codes = column.first_codes[own]
        grouped = codes >= 0
        distinct, inverse = np.unique(codes[grouped], return_inverse=True)
        named = [numbers.setdefault(column.words[int(c)], len(numbers)) for c in distinct]
        single = -1 - alone - np.arange(len(own))
        alone += len(own)
        single[grouped] = np.asarray(named, np.int64)[inverse]
        groups.append(single)
    return groups
