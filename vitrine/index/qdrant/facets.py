"""Facets: counted by Qdrant over all products under a filter, or here over a candidate set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from qdrant_client import models

from vitrine.fields.schema import Field
from vitrine.index.histogram import range_facet, round_bounds
from vitrine.index.qdrant.payload import exact_number, facet_key, number_keys, value_at, value_key
from vitrine.index.qdrant.readahead import Reads
from vitrine.results import Bucket, Facet, FacetValue, RangeFacet, ValueFacet

__all__ = ["facet_of", "facet_of_payloads"]


def facet_of_payloads(field: Field, payloads: Iterable[Mapping[str, Any]], *, values: int) -> Facet:
    """The facet of a field over these products."""
    if field.type.numeric:
        return range_facet(
            np.asarray(
                [v for payload in payloads if (v := exact_number(payload, field)) is not None],
                np.float64,
            )
        )
    values_of = [
        value for payload in payloads if (value := value_at(payload, facet_key(field))) is not None
    ]
    return _value_facet(
        Counter(
            v
            for value in values_of
            for v in (dict.fromkeys(value) if isinstance(value, list) else (value,))
        ),
        values,
    )


def facet_of(
    field: Field, reads: Reads, where: Sequence[models.Condition], *, values: int
) -> Facet:
    """The facet of a field over all products that fulfill the conditions, exactly."""
    if field.type.numeric:
        return _histogram(field, reads, where)
    return _value_facet(
        reads.values(facet_key(field), models.Filter(must=list(where)) if where else None), values
    )


def _value_facet(counts: Mapping[Any, int], values: int) -> ValueFacet:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ValueFacet(
        tuple(FacetValue(value, count) for value, count in ranked[:values]), len(ranked)
    )


def _histogram(field: Field, reads: Reads, where: Sequence[models.Condition]) -> RangeFacet:
    low, high = (
        _extreme(field, reads, where, direction)
        for direction in (models.Direction.ASC, models.Direction.DESC)
    )
    if low is None or high is None:
        return RangeFacet(None, None, ())
    bounds, key = round_bounds(low, high), value_key(field)
    last = len(bounds) - 2
    ranges = [
        models.Range(gte=a, lte=b) if i == last else models.Range(gte=a, lt=b)
        for i, (a, b) in enumerate(pairwise(bounds))
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
