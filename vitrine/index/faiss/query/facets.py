"""Facets of a set of rows, counted in the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.schema import Field, FieldType
from vitrine.filters import folded_value
from vitrine.index.faiss.columns.ragged import Ints, take_ragged
from vitrine.index.faiss.columns.types import Keywords
from vitrine.index.faiss.segment import Segment
from vitrine.index.histogram import range_facet
from vitrine.index.value_facets import value_facet
from vitrine.results import Facet, ValueFacet

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
        counts = _count_groups(field.name, selections)
        forms = partial(_count_forms, field, selections)
        return value_facet(field, counts, values=values, count_forms=forms)
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

    def numbered(column: Keywords, codes: NDArray[np.int32]) -> Ints:
        used, inverse = np.unique(codes, return_inverse=True)
        words = [numbers.setdefault(column.words[int(c)], len(numbers)) for c in used]
        return np.asarray(words, np.int64)[inverse]

    counts = _count_distinct(name, selections, numbered)
    return {word: counts[number] for word, number in numbers.items()}


def _count_forms(
    field: Field, selections: Sequence[SelectedRows], forms: Collection[str]
) -> dict[str, int]:
    """For each folded form the rows, or groups, that have one of its spellings."""
    fold = partial(folded_value, field)

    def numbered(column: Keywords, codes: NDArray[np.int32]) -> Ints:
        numbers = np.full(len(column.words), -1)
        for number, form in enumerate(forms):
            numbers[column.folded(fold).codes(form)] = number
        return numbers[codes]

    counts = _count_distinct(field.name, selections, numbered)
    return {form: counts[number] for number, form in enumerate(forms)}


def _count_distinct(
    name: str,
    selections: Sequence[SelectedRows],
    numbered: Callable[[Keywords, NDArray[np.int32]], Ints],
) -> Counter[int]:
    """For each number that `numbered` gives to codes, -1 for none, the rows or groups having it."""
    numbers, units = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    before = 0
    for selection in selections:
        column, rows = selection.segment.keywords(name), selection.rows
        offsets, codes = take_ragged(column.offsets, column.codes, rows)
        own = (
            np.arange(before, before + len(rows)) if selection.groups is None else selection.groups
        )
        number, unit = numbered(column, codes), np.repeat(own, np.diff(offsets))
        numbers.append(number[number >= 0])
        units.append(unit[number >= 0])
        before += len(rows)
    every = np.concatenate(units)
    every -= every.min(initial=0)  # rows without a group have negative numbers
    span = int(every.max(initial=0)) + 1
    distinct = np.unique(np.concatenate(numbers) * span + every)  # a pair as one number
    counted, counts = np.unique(distinct // span, return_counts=True)
    return Counter(dict(zip(counted.tolist(), counts.tolist(), strict=True)))


def _count_words(field: Field, selections: Sequence[SelectedRows], values: int) -> ValueFacet:
    """Counts add up in the codes of the largest dictionary.

    Words that it lacks go by name, and with them all that may be other spellings of a value.
    """
    if not selections:
        return ValueFacet((), 0)
    columns = [s.segment.keywords(field.name) for s in selections]
    largest = max(range(len(columns)), key=lambda i: len(columns[i].words))
    main, named = columns[largest], Counter[str]()
    counts = _counts(main, selections[largest].rows)
    for i, (column, selection) in enumerate(zip(columns, selections, strict=True)):
        if i != largest:
            _add(column, selection.rows, main, (counts, named))
    used = np.flatnonzero(counts)
    spelled = _alike(field, main, named)[used]
    alike = used[spelled]
    by_name, rest = (used, used[:0]) if field.type is FieldType.PATH else (alike, used[~spelled])
    # codes are in the order of words, so a stable sort by count leaves equal counts in it
    top = rest[np.argsort(-counts[rest], kind="stable")[:values]]
    every = {main.words[c]: int(counts[c]) for c in (*top.tolist(), *by_name.tolist())} | named
    forms = partial(_count_forms, field, selections) if named or len(alike) else None
    facet = value_facet(field, every, values=values, count_forms=forms)
    return replace(facet, distinct=facet.distinct + len(rest) - len(top))


def _alike(field: Field, column: Keywords, words: Iterable[str]) -> NDArray[np.bool_]:
    """Which codes of the column are spellings of another one's value, or of one of the words'."""
    fold = partial(folded_value, field)
    folded = column.folded(fold)
    alike = folded.several.copy()
    for word in words:
        alike[folded.codes(fold(word))] = True
    return alike


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
