"""Choosing how the best rows of a segment are found."""

from __future__ import annotations

import numpy as np

from vitrine.index.faiss.columns import Mask
from vitrine.index.faiss.nearest import Scored, best_of
from vitrine.index.faiss.segment import Segment
from vitrine.products import Vector

__all__ = ["Planner"]


class Planner:
    """Chooses by how many rows match."""

    def best(self, segment: Segment, mask: Mask, query: Vector, k: int) -> tuple[str, Scored]:
        """The plan's name and the rows of the mask that score at least as well as the k-th best."""
        return "exact", best_of(segment, np.flatnonzero(mask), query, k)
