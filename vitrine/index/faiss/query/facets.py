"""Facets of a set of rows, counted in the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.schema import Field, FieldType
from vitrine.index.faiss.columns.ragged import Ints, take_ragged
from vitrine.index.faiss.columns.types import Keywords
from vitrine.index.faiss.segment import Segment
from vitrine.index.histogram import range_facet
from vitrine.index.value_facets import value_facet
from vitrine.results import Facet, FacetValue, ValueFacet

__all__ = ["SelectedRows", "count_facet"]


@dataclass(frozen=True, eq=False)
class SelectedRows:
    """Some rows of a segment, each once.

    `groups` (n,) has the group of each row where groups are counted, not rows.
    """

    segment: Segment
    rows: Ints
    groups: Ints | None = None


def count_facet(field: Field, selections: Sequence[SelectedRows], *, values: int) -> Facet:
    """The facet of a field over all selected rows, at most `values` values listed."""
    if field.type.numeric:
        return _count_numbers(field.name, selections)
    if field.type is FieldType.BOOL:
        return value_facet(field, _count_truths(field.name, selections), values=values)
    if any(selection.groups is not None for selection in selections):
        return value_facet(field, _count_groups(field.name, selections), values=values)
    return _count_words(field, selections, values)


def _count_numbers(name: str, selections: Sequence[SelectedRows]) -> Facet:
    numbers, groups = [np.zeros(0)], [np.zeros(0, np.int64)]
    for selection in selections:
        column = selection.segment.numbers(name)
        present = column.present[selection.rows]
        numbers.append(column.values[selection.rows[present]])
        if selection.groups is not None:
            groups.append(selection.groups[present])
    grouped = len(groups) > 1
    return range_facet(np.concatenate(numbers), np.concatenate(groups) if grouped else None)


def _count_truths(name: str, selections: Sequence[SelectedRows]) -> dict[bool, int]:
    counts = {}
    for truth in (False, True):
        count, groups = 0, [np.zeros(0, np.int64)]
        for selection in selections:
            column = selection.segment.numbers(name)
            fulfilling = column.present[selection.rows] & (column.values[selection.rows] == truth)
            count += int(np.count_nonzero(fulfilling))
            if selection.groups is not None:
                groups.append(selection.groups[fulfilling])
        counts[truth] = len(np.unique(np.concatenate(groups))) if len(groups) > 1 else count
    return {truth: count for truth, count in counts.items() if count}


def _count_groups(name: str, selections: Sequence[SelectedRows]) -> dict[str, int]:
    """For each word the groups that have it in one of their rows."""
    numbers: dict[str, int] = {}
    pairs = [np.zeros((0, 2), np.int64)]
    for selection in selections:
        assert selection.groups is not None  # noqa: S101  # of all selections or of none
        column = selection.segment.keywords(name)
        offsets, codes = take_ragged(column.offsets, column.codes, selection.rows)
        groups = np.repeat(selection.groups, np.diff(offsets))
        used, inverse = np.unique(codes, return_inverse=True)
        words = [numbers.setdefault(column.words[int(c)], len(numbers)) for c in used]
        pairs.append(np.column_stack([np.asarray(words, np.int64)[inverse], groups]))
    distinct = np.unique(np.concatenate(pairs), axis=0)
    counts = np.bincount(distinct[:, 0], minlength=len(numbers))
    return {word: int(counts[number]) for word, number in numbers.items()}


def _count_words(field: Field, selections: Sequence[SelectedRows], values: int) -> ValueFacet:
    """Counts add up in the codes of the largest dictionary; words that it lacks go by name."""
    if not selections:
        return ValueFacet((), 0)
    columns = [s.segment.keywords(field.name) for s in selections]
    largest = max(range(len(columns)), key=lambda i: len(columns[i].words))
    main, others = columns[largest], Counter[str]()
    counts = _counts(main, selections[largest].rows)
    for i, (column, selection) in enumerate(zip(columns, selections, strict=True)):
        if i != largest:
            _add(column, selection.rows, main, (counts, others))
    used = np.flatnonzero(counts)
    if field.type is FieldType.PATH:
        every = {main.words[int(code)]: int(counts[code]) for code in used}
        return value_facet(field, every | others, values=values)
    # codes are in the order of words, so a stable sort by count leaves equal counts in it
    top = used[np.argsort(-counts[used], kind="stable")[:values]]
    listed = [FacetValue(main.words[int(code)], int(counts[code])) for code in top]
    listed += [FacetValue(word, count) for word, count in others.items()]
    return ValueFacet(tuple(sorted(listed, key=_by_count)[:values]), len(used) + len(others))


def _by_count(value: FacetValue) -> tuple[int, Any]:
    return (-value.count, value.value)


def _counts(column: Keywords, rows: Ints) -> NDArray[np.int64]:
    total = len(column.offsets) - 1
    if len(rows) == total:
        return np.diff(column.postings[0])
    offsets, codes = column.offsets, column.codes
    selected = codes[rows] if column.single else take_ragged(offsets, codes, rows)[1]
    return np.bincount(selected, minlength=len(column.words))


def _add(
    column: Keywords, rows: Ints, main: Keywords, sums: tuple[NDArray[np.int64], Counter[str]]
) -> None:
    counts, others = sums
    own = _counts(column, rows)
    for code in np.flatnonzero(own).tolist():
        word = column.words[code]
        place = main.words.find(word)
        if place is None:
            others[word] += int(own[code])
        else:
            counts[place] += own[code]
