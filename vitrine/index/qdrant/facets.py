"""Facets: counted by Qdrant over all products under a filter, or here over a candidate set."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from qdrant_client import models

from vitrine.fields.schema import Field
from vitrine.index.histogram import range_facet, round_bounds
from vitrine.index.qdrant.payload import (
    exact_number,
    facet_key,
    number,
    number_keys,
    value_at,
    value_key,
)
from vitrine.index.qdrant.readahead import Reads
from vitrine.index.value_facets import value_facet
from vitrine.results import Bucket, Facet, RangeFacet

__all__ = ["facet_of", "facet_of_payloads"]


def facet_of_payloads(
    field: Field,
    payloads: Sequence[Mapping[str, Any]],
    *,
    values: int,
    groups: Sequence[Hashable] | None = None,
) -> Facet:
    """The facet of a field over these products; with `groups`, the group of each, over groups."""
    keys = range(len(payloads)) if groups is None else groups
    if field.type.numeric:
        return _range_of([exact_number(payload, field) for payload in payloads], keys)
    having: dict[Any, set[Hashable]] = {}
    for payload, key in zip(payloads, keys, strict=True):
        value = value_at(payload, facet_key(field))
        listed = value if isinstance(value, list) else () if value is None else (value,)
        for v in listed:
            having.setdefault(v, set()).add(key)
    return value_facet(field, {v: len(of) for v, of in having.items()}, values=values)


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
    field: Field, reads: Reads, where: Sequence[models.Condition], *, values: int
) -> Facet:
    """The facet of a field over all products that fulfill the conditions, exactly."""
    if field.type.numeric:
        return _histogram(field, reads, where)
    condition = models.Filter(must=list(where)) if where else None
    return value_facet(field, reads.values(facet_key(field), condition), values=values)


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
