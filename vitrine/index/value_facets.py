"""Which values of a facet are listed: the most frequent, of paths the most frequent on each
level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from vitrine.fields.schema import Field, FieldType
from vitrine.results import FacetValue, ValueFacet

__all__ = ["value_facet"]


def value_facet(
    field: Field, counts: Mapping[str, int] | Mapping[bool, int], *, values: int
) -> ValueFacet:
    """The facet of these counts by value, at most `values` values listed.

    Of a PATH field at most so many on each level, below paths that are listed themselves: a level
    that is full hides nothing of the one above it.
    """
    ranked = sorted((FacetValue(v, n) for v, n in counts.items()), key=_by_count)
    if field.type is FieldType.PATH and len(ranked) > values:
        ranked = sorted(_listed_paths(ranked, values), key=_by_count)
        return ValueFacet(tuple(ranked), len(counts))
    return ValueFacet(tuple(ranked[:values]), len(counts))


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
