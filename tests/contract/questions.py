"""Random questions to an index, drawn from what its products hold."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np

from tests.contract.catalogue import DIMENSION, SCHEMA, unit
from vitrine.fields.schema import Field, FieldType
from vitrine.filters import MATCH_ALL, All, AnyOf, Condition, Filter, Not
from vitrine.index import IndexQuery
from vitrine.products import Record, Vector
from vitrine.queries import RELEVANCE, Sort

__all__ = ["random_filter", "random_query", "random_sort", "separated"]

SAME, GAP = 1e-12, 4e-6
"""Scores of different vectors differ by this much at least: float32 noise cannot reorder them."""


def separated(rng: random.Random, records: list[Record]) -> Vector:
    """A query to which no two products with different pictures are almost equally near."""
    rows = np.concatenate([r.vectors for r in records]).astype(np.float64)
    starts = np.cumsum([0, *(len(r.vectors) for r in records)])[:-1]
    for _ in range(1000):
        near = np.asarray(rng.choice(records).vectors[-1], np.float64)
        query = unit(
            near + rng.choice((0.1, 1.0)) * np.asarray([rng.gauss(0, 1) for _ in range(DIMENSION)])
        )
        scores = np.sort(np.maximum.reduceat(rows @ query.astype(np.float64), starts))
        gaps = np.diff(scores)
        if not np.any((gaps > SAME) & (gaps < GAP)):
            return query
    raise AssertionError("no query keeps the products apart; use fewer of them")


def random_query(rng: random.Random, records: list[Record]) -> IndexQuery:
    """Any mix of what an `IndexQuery` can hold."""
    vector = separated(rng, records) if rng.random() < 0.7 else None
    some = rng.sample(records, min(3, len(records)))
    return IndexQuery(
        vector=vector,
        filter=random_filter(rng, records) if rng.random() < 0.85 else MATCH_ALL,
        candidates=rng.choice((1, 7, 40, 1000)),
        min_score=rng.choice((None, None, 0.0, 0.312345)) if vector is not None else None,
        exclude=frozenset(r.product.id for r in some) if rng.random() < 0.2 else frozenset(),
        sort=random_sort(rng),
        collapse=rng.choice((None, None, None, "group_id", "brand", "pattern", "id")),
        facets=tuple(rng.sample(SCHEMA.facets, rng.randint(0, 4))),
        limit=rng.choice((1, 5, 24, 500)),
    )


def random_sort(rng: random.Random) -> Sort:
    """Relevance, a field, or several keys."""
    every = ["relevance", *(f"{sign}{name}" for name in SCHEMA.sorts for sign in ("", "-"))]
    keys = dict.fromkeys(rng.choices(every, k=rng.choice((1, 1, 1, 2, 3))))
    named = {key.removeprefix("-"): key for key in keys}
    return Sort.parse(list(named.values())) if rng.random() < 0.7 else RELEVANCE


def random_filter(rng: random.Random, records: list[Record], depth: int = 0) -> Filter:
    """A tree of conditions, most of them on values that some product has."""
    kind = rng.random()
    if depth < 3 and kind < 0.2:
        return All(tuple(random_filter(rng, records, depth + 1) for _ in range(rng.randint(0, 3))))
    if depth < 3 and kind < 0.35:
        return AnyOf(
            tuple(random_filter(rng, records, depth + 1) for _ in range(rng.randint(1, 3)))
        )
    if depth < 3 and kind < 0.5:
        return Not(random_filter(rng, records, depth + 1))
    field = rng.choice(SCHEMA.fields)
    if rng.random() < 0.1:
        return Condition(field, "exists", rng.random() < 0.5)
    values = [
        v
        for r in rng.sample(records, min(30, len(records)))
        if (v := r.product.value(field.name)) is not None
    ]
    return _condition(field, values, rng) if values else Condition(field, "exists", True)


def _condition(field: Field, values: list[Any], rng: random.Random) -> Condition:
    value = rng.choice(values)
    if field.type is FieldType.TEXT:
        words = re.findall(r"\w+", value.casefold()) or ["mug"]
        return Condition(
            field, "match", tuple(rng.sample(words, min(len(words), rng.randint(1, 2))))
        )
    if field.type is FieldType.DATETIME or (field.type.numeric and rng.random() < 0.8):
        return Condition(field, rng.choice(("gt", "gte", "lt", "lte")), value)
    if field.type is FieldType.BOOL:
        return Condition(field, "in", rng.choice(((True,), (False,), (True, False))))
    flat = [
        w
        for v in rng.sample(values, min(2, len(values)))
        for w in (v if isinstance(v, tuple) else (v,))
    ]
    if field.type is FieldType.COLOR:
        flat = (
            [w.strip().casefold() for w in flat]
            if rng.random() < 0.5
            else [rng.choice(("red", "blue", "white", "green"))]
        )
    if field.type is FieldType.PATH:
        flat = [w.rsplit("/", rng.randint(0, 1))[0] for w in flat]
    if rng.random() < 0.2 and field.name != "id" and not field.type.numeric:
        flat = [w.upper() if rng.random() < 0.5 else f" {w.casefold()} " for w in flat]
    return Condition(
        field,
        "in",
        (
            *dict.fromkeys(flat),
            *(("nowhere",) if not field.type.numeric and rng.random() < 0.2 else ()),
        ),
    )
