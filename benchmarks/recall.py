"""What a search should have found, by brute force, and how much of it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LIMIT", "exact_best", "recall_of"]

LIMIT = 10
"""Products of a page."""


def exact_best(
    vectors: NDArray[np.float32], allowed: NDArray[np.intp], query: NDArray[np.float32]
) -> set[int]:
    """The best ten of the `allowed` products, by brute force.

    Not timed, as its copies of all vectors would sweep the caches before the others.
    """
    # without a filter no copy is needed
    rows = vectors if len(allowed) == len(vectors) else vectors[allowed]
    scores = rows @ query
    count = min(LIMIT, len(scores))
    if count == 0:
        return set()
    return {int(allowed[i]) for i in np.argpartition(-scores, count - 1)[:count]}


def recall_of(results: list[set[int]], exact: list[set[int]]) -> float:
    """The share of the right answers that were found."""
    return sum(len(f & e) for f, e in zip(results, exact, strict=True)) / max(
        1, sum(len(e) for e in exact)
    )
