"""Which values of a facet are listed: the most frequent, of paths the most frequent on each level.

Spellings that filters hold for equal (`vitrine.filters.folded_value`) are one value, shown in its
most frequent spelling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from vitrine.fields.schema import Field, FieldType
from vitrine.filters import folded_value, is_folded
from vitrine.results import FacetValue, ValueFacet

__all__ = ["CountForms", "value_facet"]

CountForms: TypeAlias = Callable[[Collection[str]], Mapping[str, int]]
"""How many products, or groups where these are counted, have a value of each folded form."""


def value_facet(
    field: Field,
    counts: Mapping[str, int] | Mapping[bool, int],
    *,
    values: int,
    count_forms: CountForms | None = None,
) -> ValueFacet:
    """The facet of these counts by value as written, at most `values` values listed.

    Spellings of one value are merged where `count_forms` is given. Of a PATH field at most so many
    are listed on each level, below paths that are listed themselves: a level that is full hides
    nothing of the one above it.
    """
    if count_forms is not None and is_folded(field):
        written = {str(value): count for value, count in counts.items()}
        counts = _merge_spellings(field, written, count_forms)
    ranked = sorted((FacetValue(v, n) for v, n in counts.items()), key=_by_count)
    if field.type is FieldType.PATH and len(ranked) > values:
        ranked = sorted(_listed_paths(ranked, values), key=_by_count)
        return ValueFacet(tuple(ranked), len(counts))
    return ValueFacet(tuple(ranked[:values]), len(counts))


def _merge_spellings(
    field: Field, counts: Mapping[str, int], count_forms: CountForms
) -> Mapping[str, int]:
    """The counts with one spelling for each folded form: the most frequent, of equals the first.

    A product may have several spellings of a value, so that their counts do not add up: the form is
    counted anew. A path is spelled like the path above it, so that the listed ones make one tree.
    """
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for spelling in counts:
        spellings[folded_value(field, spelling)].append(spelling)
    if len(spellings) == len(counts):
        return counts
    totals = count_forms([form for form, several in spellings.items() if len(several) > 1])
    shown = _shown(field, spellings, counts)
    return {
        shown[form]: totals.get(form, 0) if len(several) > 1 else counts[several[0]]
        for form, several in spellings.items()
    }


def _shown(
    field: Field, spellings: Mapping[str, Sequence[str]], counts: Mapping[str, int]
) -> dict[str, str]:
    """How each form is spelled."""
    shown: dict[str, str] = {}
    for form in sorted(spellings, key=lambda form: form.count("/")):
        spelling = min(spellings[form], key=lambda spelling: (-counts[spelling], spelling))
        above = shown.get(form.rpartition("/")[0]) if field.type is FieldType.PATH else None
        below = f"{above}/{spelling.rpartition('/')[2]}"
        alike = above is not None and folded_value(field, below) == form
        shown[form] = below if alike else spelling
    return shown


def _listed_paths(ranked: Iterable[FacetValue], values: int) -> Iterable[FacetValue]:
    listed = {""}
    for _, level in groupby(sorted(ranked, key=_level), key=_level):
        below = [value for value in level if _parent(value) in listed][:values]
        listed |= {str(value.value) for value in below}
        yield from below


def _level(value: FacetValue) -> int:
    return str(value.value).count("/")


def _parent(value: FacetValue) -> str:
    return str(value.value).rpartition("/")[0]


def _by_count(value: FacetValue) -> tuple[int, str | bool]:
    return (-value.count, value.value)
