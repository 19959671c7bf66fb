"""Choosing how the best rows of a segment are found: by counted selectivity and measured cost.

Three plans give the best k of the n rows under a filter, out of N:

- fetch: score the n rows in float32. Costs n random reads.
- scan: 8-bit rows first, all N in a stream or the n gathered, whichever is cheaper, then float32
  for the few that remain. Exact as well; needs the 8-bit rows.
  Where the vectors are on a device, it scans them all, as halves instead of 8-bit rows.
- one bit: one-bit rows first, then 8 bits and float32 for those that may be among the best. All
  that a filter lets through is compared, so recall does not depend on selectivity; but what leaves
  few is a bound that one row in 160 exceeds (`vectors/one_bit.py`).

A set of more than `PAGE` products is always exact: among a million rows 140,000 may by their
one-bit rows be among the best thousand, and to tell them apart takes as long as to scan all. A
first page needs few products of its set. Where that set costs more than is affordable, the page is
found by one-bit rows and the next one goes on below its last product, in the set that is then found
whole.

Products with several pictures have that many rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.device_vectors import DeviceVectors
from vitrine.index.faiss.vectors.exact import ScoredRows, exact_top_k
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.products import Vector

__all__ = ["Costs", "Planner"]

Plan: TypeAlias = Literal["one bit", "scan", "fetch"]

PAGE = 100
"""So many of the best may be found by one-bit rows."""


@dataclass(frozen=True)
class Costs:
    """Microseconds at 512 dimensions on one core.

    Only their ratios matter, and those hold from one processor to the next: all are memory traffic.
    """

    fetched_row: float = 0.26
    """One float32 row among others, fetched from anywhere."""
    scanned_code: float = 0.042
    """One 8-bit row of a scan over all."""
    gathered_code: float = 0.15
    """One 8-bit row among others, fetched from anywhere."""
    rescoring: float = 1000.0
    """What a scan of 8-bit rows leaves to be done with float32 ones."""
    device_call: float = 140.0
    """What a scan on a device costs whatever its size (an H200: a million rows in 0.37 ms, ten
    million in 2.46)."""
    device_row: float = 0.00023
    """One row of it."""
    affordable: float = 5500.0
    """What an exact answer may cost before a page is found by one-bit rows."""


class Planner:
    """Chooses for each segment."""

    def __init__(self, *, costs: Costs | None = None) -> None:
        self._costs = costs or Costs()

    def top_k(
        self, segment: Segment, mask: Mask, query: Vector, k: int, *, prefix: int | None = None
    ) -> tuple[str, ScoredRows]:
        """The plan's name ("exact" or "rabitq") and the rows of the mask as good as the k-th best.

        Where only the first `prefix` of them are needed, the plans find no more than those.
        """
        needed = k if prefix is None else prefix
        plan, scanned = self._plan(segment, int(np.count_nonzero(mask)), needed), segment.quantized
        if plan == "one bit" and segment.one_bit is not None:
            return "rabitq", segment.one_bit.top_k(mask, query, needed)
        if plan == "scan" and isinstance(scanned, DeviceVectors):
            return "exact", scanned.top_k(mask, query, needed)
        products = np.flatnonzero(mask)
        if plan == "scan" and isinstance(scanned, QuantizedVectors):
            return "exact", scanned.top_k(products, query, needed)
        return "exact", exact_top_k(segment.pictures, products, query, needed)

    def scans(self, segment: Segment, mask: Mask, k: int) -> bool:
        """Whether `top_k` would go through 8-bit rows of the mask."""
        return self._plan(segment, int(np.count_nonzero(mask)), k) == "scan"

    def _plan(self, segment: Segment, matching: int, needed: int) -> Plan:
        """The cheaper of the plans that are exact, or for a page that by one-bit rows where
        they cost too much."""
        costs, pictures = self._costs, segment.pictures
        rows_matching = matching * pictures.per_product
        fetch = costs.fetched_row * rows_matching
        scanned, total = segment.quantized, len(pictures.rows)
        if scanned is None:
            return "fetch"
        if isinstance(scanned, DeviceVectors):
            scan = costs.rescoring + costs.device_call + costs.device_row * total
            return "scan" if scan < fetch else "fetch"
        reads = min(costs.scanned_code * total, costs.gathered_code * rows_matching)
        scan = costs.rescoring + reads
        too_much = min(scan, fetch) > costs.affordable
        if too_much and needed <= min(PAGE, matching) and segment.one_bit is not None:
            return "one bit"
        return "scan" if scan < fetch else "fetch"
