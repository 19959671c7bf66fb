"""Choosing how the best rows of a segment are found: by counted selectivity and measured cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.exact import Scored, best_of
from vitrine.products import Vector

__all__ = ["Costs", "Planner"]

BREADTH = 1.5
"""How many times wider than the set of candidates the beam of the graph is."""
LEAST_BEAM, FEW_ROWS, GROWTH = 256, 100_000, 0.3
"""A beam below 256 loses recall, and from 100,000 rows on it doubles with ten times the rows: of a million, 256 find 98.2 to 99.5 %
of the best ten from one build to the next, 512 find 99.3 to 99.7 %."""
LEAST_MATCHING = 80
"""So many rows of a beam are to fulfil the filter, as far as can be expected: with 25, recall@10 is 0.976, with 50 it is 0.992."""


@dataclass(frozen=True)
class Costs:
    """Microseconds at 512 dimensions on one core (`make bench` measures them anew).

    Only their ratios matter, and those hold from one processor to the next: all are memory traffic.
    """

    row: float = 0.26
    """One float32 row among others, fetched from anywhere."""
    code: float = 0.042
    """One 8-bit row of a scan over all."""
    gathered: float = 0.15
    """One 8-bit row among others, fetched from anywhere."""
    settling: float = 1000.0
    """What a scan of 8-bit rows leaves to be done with float32 ones."""
    step: float = 4.5
    """One step of the graph's beam: a node's neighbours are compared."""


class Planner:
    """Chooses for each segment; `ef` is the least beam of the graph, up to `FEW_ROWS` rows."""

    def __init__(self, *, ef: int = LEAST_BEAM, costs: Costs | None = None) -> None:
        self._ef = ef
        self._costs = costs or Costs()

    def best(
        self, segment: Segment, mask: Mask, query: Vector, k: int, *, first: int | None = None
    ) -> tuple[str, Scored]:
        """The plan's name ("exact" or "hnsw") and the rows of the mask that score at least as well as the k-th best.

        Where only the `first` of them are looked at, the plan is the same, so that they are the same as well; exact plans
        find no more than those.
        """
        matching, total, costs = int(np.count_nonzero(mask)), len(segment), self._costs
        scan = (
            math.inf
            if segment.codes is None
            else costs.settling + min(costs.code * total, costs.gathered * matching)
        )
        fetch = costs.row * matching
        if segment.graph is not None and matching > k:
            least = self._ef * max(1.0, total / FEW_ROWS) ** GROWTH
            beam = math.ceil(max(least, max(BREADTH * k, LEAST_MATCHING) * total / matching))
            if costs.step * beam < min(scan, fetch):
                found = segment.graph.best_of(segment.vectors, mask, query, k=k, beam=beam)
                if found is not None:
                    return "hnsw", found
        rows, wanted = np.flatnonzero(mask), k if first is None else first
        if segment.codes is not None and scan < fetch:
            return "exact", segment.codes.best_of(segment.vectors, rows, query, wanted)
        return "exact", best_of(segment.vectors, rows, query, wanted)
