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
from vitrine.results import Facet, FacetValue, ValueFacet

__all__ = ["SelectedRows", "count_facet"]


@dataclass(frozen=True, eq=False)
class SelectedRows:
    """Some rows of a segment, each once."""

    segment: Segment
    rows: Ints


def count_facet(field: Field, selections: Sequence[SelectedRows], *, values: int) -> Facet:
    """The facet of a field over all selected rows, at most `values` values listed."""
    if field.type.numeric:
        numbers = [_present_numbers(field.name, selection) for selection in selections]
        return range_facet(np.concatenate(numbers) if numbers else np.zeros(0))
    if field.type is FieldType.BOOL:
        return _count_truths(field.name, selections)
    return _count_words(field.name, selections, values)


def _present_numbers(name: str, selection: SelectedRows) -> NDArray[np.float64]:
    column = selection.segment.numbers(name)
    numbers: NDArray[np.float64] = column.values[selection.rows]
    return numbers[column.present[selection.rows]]


def _count_truths(name: str, selections: Sequence[SelectedRows]) -> ValueFacet:
    values = []
    for truth in (False, True):
        counts = [np.count_nonzero(_present_numbers(name, s) == truth) for s in selections]
        if sum(counts):
            values.append(FacetValue(truth, int(sum(counts))))
    return ValueFacet(tuple(sorted(values, key=_by_count)), len(values))


def _count_words(name: str, selections: Sequence[SelectedRows], values: int) -> ValueFacet:
    """Counts add up in the codes of the largest dictionary; words that it lacks go by name."""
    if not selections:
        return ValueFacet((), 0)
    columns = [s.segment.keywords(name) for s in selections]
    largest = max(range(len(columns)), key=lambda i: len(columns[i].words))
    main, others = columns[largest], Counter[str]()
    counts = _counts(main, selections[largest].rows)
    for i, (column, selection) in enumerate(zip(columns, selections, strict=True)):
        if i != largest:
            _add(column, selection.rows, main, (counts, others))
    # codes are in the order of words, so a stable sort by count leaves equal counts in it
    used = np.flatnonzero(counts)
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
