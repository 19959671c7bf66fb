"""The groups of the hits of a collapsed search, from the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.query.facets import SelectedRows
from vitrine.index.faiss.query.ordering import Entry
from vitrine.index.faiss.segment import Segment
from vitrine.index.grouping import Variant, group_of_variants
from vitrine.results import Group

__all__ = ["groups_of_entries"]

_PRICE, _COLOR = "price", "color"


def groups_of_entries(
    entries: Sequence[Entry],
    selections: Sequence[SelectedRows],
    *,
    collapse: str,
    fields: frozenset[str],
) -> list[Group | None]:
    """For each entry what is known of its group; None for one without a value of the field.

    `selections` are all products of the set with their groups, before the collapse.
    """
    numbers = [_number(entry, selections, collapse) for entry in entries]
    chosen = np.asarray(sorted({number for number in numbers if number is not None}), np.int64)
    variants: dict[int, list[Variant]] = {int(number): [] for number in chosen}
    for selection in selections:
        if selection.groups is None:
            continue
        inside = np.flatnonzero(np.isin(selection.groups, chosen))
        own = _variants(selection.segment, selection.rows[inside], fields)
        for number, variant in zip(selection.groups[inside].tolist(), own, strict=True):
            variants[number].append(variant)
    return [None if number is None else group_of_variants(variants[number]) for number in numbers]


def _number(entry: Entry, selections: Sequence[SelectedRows], collapse: str) -> int | None:
    """The number of the entry's group among the selections."""
    if entry.segment.keywords(collapse).first_codes[entry.row] < 0:
        return None
    for selection in selections:
        if selection.segment is entry.segment and selection.groups is not None:
            places = np.flatnonzero(selection.rows == entry.row)
            if len(places):
                return int(selection.groups[places[0]])
    return None


def _variants(segment: Segment, rows: Ints, fields: frozenset[str]) -> Iterator[Variant]:
    prices = segment.numbers(_PRICE) if _PRICE in fields else None
    colors = segment.keywords(_COLOR) if _COLOR in fields else None
    for row in rows.tolist():
        price = None
        if prices is not None and prices.present[row]:
            price = float(prices.values[row])
        names: tuple[str, ...] = ()
        if colors is not None:
            codes = colors.codes[colors.offsets[row] : colors.offsets[row + 1]]
            names = tuple(colors.words[int(code)] for code in codes)
        yield Variant(segment.id(row), price, names)
