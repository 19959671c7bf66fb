"""Facets: counted by Qdrant over all products under a filter, or here over a candidate set."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from qdrant_client import models

from vitrine.fields.schema import Field, Schema
from vitrine.filters import folded_value
from vitrine.index.grouping import Variant, group_of_variants
from vitrine.index.histogram import range_facet, round_bounds
from vitrine.index.qdrant.payload import (
    ID,
    exact_number,
    facet_key,
    facet_keys,
    folded_key,
    number,
    number_keys,
    value_at,
    value_key,
)
from vitrine.index.qdrant.readahead import Reads
from vitrine.index.value_facets import value_facet
from vitrine.results import Bucket, Facet, Group, Hit, RangeFacet

__all__ = ["facet_of", "facet_of_payloads", "group_keys", "with_groups"]


def group_keys(schema: Schema) -> list[str]:
    """Payload paths that `with_groups` looks at."""
    fields = (schema.get(name) for name in ("price", "color"))
    return [ID, *(key for field in fields if field is not None for key in facet_keys(field))]


def with_groups(
    hits: Sequence[Hit],
    own: Sequence[str | None],
    payloads: Sequence[Mapping[str, Any]],
    groups: Sequence[Hashable],
    *,
    schema: Schema,
) -> tuple[Hit, ...]:
    """The hits with what is known of their `own` groups; `payloads` are all products of the set,
    `groups` theirs."""
    members: dict[Hashable, list[Mapping[str, Any]]] = {group: [] for group in own}
    for payload, group in zip(payloads, groups, strict=True):
        if group in members:
            members[group].append(payload)
    return tuple(
        hit if group is None else replace(hit, group=_group_of(members[group], schema))
        for hit, group in zip(hits, own, strict=True)
    )


def _group_of(payloads: Iterable[Mapping[str, Any]], schema: Schema) -> Group:
    price, color = schema.get("price"), schema.get("color")
    return group_of_variants(
        Variant(
            str(payload[ID]),
            None if price is None else exact_number(payload, price),
            () if color is None else tuple(value_at(payload, facet_key(color)) or ()),
        )
        for payload in payloads
    )


def facet_of_payloads(
    field: Field,
    payloads: Sequence[Mapping[str, Any]],
    *,
    values: int,
    groups: Sequence[Hashable] | None = None,
    folded: bool,
) -> Facet:
    """The facet of a field over these products; with `groups`, the group of each, over groups.

    `folded`: as in `VectorLayout`.
    """
    keys = range(len(payloads)) if groups is None else groups
    if field.type.numeric:
        return _range_of([exact_number(payload, field) for payload in payloads], keys)
    having: dict[Any, set[Hashable]] = {}
    for payload, key in zip(payloads, keys, strict=True):
        value = value_at(payload, facet_key(field))
        listed = value if isinstance(value, list) else () if value is None else (value,)
        for v in listed:
            having.setdefault(v, set()).add(key)

    def count_forms(forms: Collection[str]) -> dict[str, int]:
        alike: dict[str, set[Hashable]] = {form: set() for form in forms}
        for v, of in having.items():
            alike.get(folded_value(field, v), set()).update(of)
        return {form: len(of) for form, of in alike.items()}

    counts = {v: len(of) for v, of in having.items()}
    return value_facet(field, counts, values=values, count_forms=count_forms if folded else None)


def _range_of(numbers: Sequence[float | None], groups: Sequence[Hashable]) -> RangeFacet:
    codes: dict[Hashable, int] = {}
    rows = [
        (number, codes.setdefault(group, len(codes)))
        for number, group in zip(numbers, groups, strict=True)
        if number is not None
    ]
    return range_facet(
        np.asarray([number for number, _ in rows], np.float64),
        np.asarray([group for _, group in rows], np.int64),
    )


def facet_of(
    field: Field, reads: Reads, where: Sequence[models.Condition], *, values: int, folded: bool
) -> Facet:
    """The facet of a field over all products that fulfill the conditions, exactly.

    `folded`: as in `VectorLayout`.
    """
    if field.type.numeric:
        return _histogram(field, reads, where)
    condition = models.Filter(must=list(where)) if where else None

    def count_forms(_: Collection[str]) -> dict[str, int]:
        return reads.values(folded_key(field), condition)

    counts = reads.values(facet_key(field), condition)
    return value_facet(field, counts, values=values, count_forms=count_forms if folded else None)


def _histogram(field: Field, reads: Reads, where: Sequence[models.Condition]) -> RangeFacet:
    low, high = (
        _extreme(field, reads, where, direction)
        for direction in (models.Direction.ASC, models.Direction.DESC)
    )
    if low is None or high is None:
        return RangeFacet(None, None, ())
    bounds, key = round_bounds(low, high), value_key(field)
    last = len(bounds) - 2
    # compared with what is stored: a bound that is a product's own number may have more digits
    ranges = [
        models.Range(gte=a, lte=b) if i == last else models.Range(gte=a, lt=b)
        for i, (a, b) in enumerate(pairwise(map(number, bounds)))
    ]
    counts = [
        reads.count(models.Filter(must=[*where, models.FieldCondition(key=key, range=r)]))
        for r in ranges
    ]
    return RangeFacet(
        low,
        high,
        tuple(Bucket(a, b, n) for a, b, n in zip(bounds, bounds[1:], counts, strict=False)),
    )


def _extreme(
    field: Field, reads: Reads, where: Sequence[models.Condition], direction: models.Direction
) -> float | None:
    order = models.OrderBy(key=value_key(field), direction=direction)
    first = reads.first(
        models.Filter(must=list(where)) if where else None,
        order,
        limit=1,
        payload=number_keys(field),
    )
    return float(exact_number(first[0].payload, field)) if first else None
