"""What an answer says of filter values that no product has."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from vitrine.filters import All, AnyOf, Condition, Filter, folded_value, is_folded
from vitrine.index import VectorIndex
from vitrine.results import Note, ValueFacet

__all__ = ["unknown_values"]

MAX_VALUES = 10_000
"""Values of a field among which the nearest is looked for."""
MAX_NOTES = 5
ALIKE = 0.5
"""Share of the letters that agree in a value worth naming: less is another word."""


def unknown_values(tree: Filter, index: VectorIndex) -> tuple[Note, ...]:
    """A note on each value that the filter asks for and no product has, at most `MAX_NOTES`.

    It names the nearest value there is. Meant for a filter that no product fulfills: each of its
    values costs a count. Values that are excluded (`not`) do no harm and are passed over.
    """
    notes = dict.fromkeys(
        _note(condition, value, index)
        for condition in _conditions(tree)
        for value in _values(condition)
        if index.count(Condition(condition.field, "in", (value,))) == 0
    )
    return tuple(notes)[:MAX_NOTES]


def _conditions(tree: Filter) -> Iterator[Condition]:
    if isinstance(tree, Condition):
        yield tree
    elif isinstance(tree, All | AnyOf):
        for part in tree.parts:
            yield from _conditions(part)


def _values(condition: Condition) -> Iterator[str]:
    operand = condition.operand
    if condition.operator == "in" and isinstance(operand, tuple) and is_folded(condition.field):
        yield from (str(value) for value in operand[:MAX_NOTES])


def _note(condition: Condition, value: str, index: VectorIndex) -> Note:
    field = condition.field
    nearest = _nearest(condition, value, index) if field.facet else None
    message = f"no product has {field.name} {value!r}" + (
        "" if nearest is None else f"; the nearest is {nearest!r}"
    )
    return Note("unknown_value", message, field.name, value, nearest)


def _nearest(condition: Condition, value: str, index: VectorIndex) -> str | None:
    field = condition.field
    facet = index.facet([field.name], values=MAX_VALUES)[field.name]
    if not isinstance(facet, ValueFacet):
        return None
    known = [str(listed.value) for listed in facet.values]
    best = process.extractOne(
        folded_value(field, value),
        [folded_value(field, text) for text in known],
        scorer=OSA.normalized_similarity,
        score_cutoff=ALIKE,
    )
    return None if best is None else known[best[2]]
