"""Mixing unit vectors: the parts of a query become the one vector that is searched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrine.errors import InvalidQuery
from vitrine.products import Vector

__all__ = ["WeightedVector", "combine"]


@dataclass(frozen=True, eq=False)
class WeightedVector:
    """One thing a query compares with: its name for explanations, its weight, its unit vector
    (dimension,)."""

    name: str
    weight: float
    vector: Vector
    is_text: bool = False
    """Whether it is a text of the query, and not a picture or an example."""


def combine(parts: Sequence[WeightedVector]) -> Vector:
    """The weighted sum of the parts, scaled to unit length.

    `InvalidQuery` when they cancel each other out.
    """
    if len(parts) == 1 and parts[0].weight > 0:
        return parts[0].vector
    mixed = np.sum([p.weight * p.vector.astype(np.float64) for p in parts], axis=0)
    length = float(np.linalg.norm(mixed))
    if length < 1e-6:
        raise InvalidQuery.of(
            "weights", "the parts of the query cancel each other out; change a weight"
        )
    return np.asarray(mixed / length, dtype=np.float32)
