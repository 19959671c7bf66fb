"""Facets of a set of rows, counted in the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.schema import Field, FieldType
from vitrine.index.faiss.columns.ragged import Ints, take_ragged
from vitrine.index.faiss.columns.types import Keywords
from vitrine.index.faiss.segment import Segment
from vitrine.index.histogram import range_facet
from vitrine.results import Facet, FacetValue, ValueFacet

__all__ = ["Selection", "count_facet"]


@dataclass(frozen=True, eq=False)
class Selection:
    """Some rows of a segment, each once."""

    segment: Segment
    rows: Ints


def count_facet(field: Field, selections: Sequence[Selection], *, values: int) -> Facet:
    """The facet of a field over all selected rows, at most `values` values listed."""
    if field.type.numeric:
        return range_facet(
            np.concatenate([_present(field.name, s) for s in selections])
            if selections
            else np.zeros(0)
        )
    if field.type is FieldType.BOOL:
        return _truths(field.name, selections)
    return _words(field.name, selections, values)


def _present(name: str, selection: Selection) -> NDArray[np.float64]:
    column = selection.segment.numbers(name)
    found: NDArray[np.float64] = column.values[selection.rows]
    return found[column.present[selection.rows]]


def _truths(name: str, selections: Sequence[Selection]) -> ValueFacet:
    counts = {
        truth: sum(int(np.count_nonzero(_present(name, s) == truth)) for s in selections)
        for truth in (False, True)
    }
    found = [FacetValue(truth, count) for truth, count in counts.items() if count]
    return ValueFacet(tuple(sorted(found, key=lambda v: (-v.count, v.value))), len(found))


def _words(name: str, selections: Sequence[Selection], values: int) -> ValueFacet:
    """Counts add up in the codes of the largest dictionary; words that it lacks are few and counted by name."""
    if not selections:
        return ValueFacet((), 0)
    columns = [s.segment.keywords(name) for s in selections]
    largest = max(range(len(columns)), key=lambda i: len(columns[i].words))
    main, counts, others = (
        columns[largest],
        _counts(columns[largest], selections[largest].rows),
        Counter[str](),
    )
    for i, (column, selection) in enumerate(zip(columns, selections, strict=True)):
        if i != largest:
            _add(column, selection.rows, main, (counts, others))
    # codes are in the order of words, so a stable sort by count leaves equal counts in it
    used = np.flatnonzero(counts)
    top = used[np.argsort(-counts[used], kind="stable")[:values]]
    found = [FacetValue(main.words[int(code)], int(counts[code])) for code in top] + [
        FacetValue(w, n) for w, n in others.items()
    ]
    found.sort(key=lambda v: (-v.count, v.value))
    return ValueFacet(tuple(found[:values]), len(used) + len(others))


def _counts(column: Keywords, rows: Ints) -> NDArray[np.int64]:
    total = len(column.offsets) - 1
    if len(rows) == total:
        return np.diff(column.postings[0])
    codes = (
        column.codes[rows] if column.single else take_ragged(column.offsets, column.codes, rows)[1]
    )
    return np.bincount(codes, minlength=len(column.words))


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
