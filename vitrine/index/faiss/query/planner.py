"""Choosing how the best rows of a segment are found: by counted selectivity and measured cost.

Four plans give the best k of the n rows under a filter, out of N:

- fetch: score the n rows in float32. Costs n random reads.
- scan: 8-bit rows first, all N in a stream or the n gathered, whichever is cheaper, then float32
  for the few that remain. Exact as well; needs the 8-bit rows.
  Where the vectors are on a device, it scans them all, as halves instead of 8-bit rows.
- one bit: one-bit rows first, then 8 bits and float32 for those that may be among the best. All
  that a filter lets through is compared, so recall does not depend on selectivity; but what leaves
  few is a bound that one row in 160 exceeds (`vectors/one_bit.py`).
- graph: walk the HNSW graph and skip rows that the filter excludes. Approximate, and the only plan
  whose cost does not grow with N; needs the graph.

Products with several pictures have that many rows; k products may take up as many rows of the beam
as they have pictures.

A first page needs few products, but is cut from a candidate set of many. Where that set costs more
than is affordable, by every plan that gives it whole, the page decides: it is found by one-bit rows
or by the graph, and the next one goes on below its last product, in the set that is then found
whole. One-bit rows find pages alone: among a million rows 140,000 may by them be among the best
thousand, and to tell those apart takes as long as to scan all. For a page the beam is that of at
least `LEAST_MATCHING` products, and as wide as is affordable: what it misses is on no page.

A graph's beam holds rows whether they match or not, and FAISS cuts it to `ef`. Of a beam of ef rows
about ef n / N match where filter and vector are independent, so for k answers among them, and
`LEAST_MATCHING` in any case, ef is at least max(k, LEAST_MATCHING) N / n: the rarer the filter, the
wider the beam, until the graph costs more than another plan and is dropped. That is why recall
holds at every selectivity, where a fixed ef loses it (0.38 at 1 % with ef 64). A filter that goes
with the vector's direction matches more often near the query, one that goes against it less; then
the beam may meet fewer than k rows, which is seen, and another plan takes over.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.vectors.device_vectors import DeviceVectors
from vitrine.index.faiss.vectors.exact import ScoredRows, exact_top_k
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.products import Vector

__all__ = ["Costs", "Planner", "search_of"]

Plan: TypeAlias = Literal["fetch", "scan", "one bit", "graph"]

PAGE = 100
"""So many of the best may be found by one-bit rows."""
BREADTH = 1.5
"""How many times wider than the candidate set the graph's beam is."""
LEAST_EF, FEW_ROWS, GROWTH = 256, 100_000, 0.3
"""A beam below 256 loses recall, and from 100,000 rows on it doubles with ten times the rows: of a
million, 256 find 98.2 to 99.5 % of the best ten from one build to the next, 512 99.3 to 99.7 %."""
LEAST_MATCHING = 80
"""So many rows of a beam should fulfill the filter: with 25, recall@10 is 0.976, with 50 0.992."""


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
    scanned_bits: float = 0.011
    """One one-bit row of a scan over all, and what it leaves to be compared by 8 bits."""
    gathered_bits: float = 0.04
    """The same of one among others, fetched from anywhere."""
    rescoring: float = 1000.0
    """What a scan leaves to be done with float32 rows."""
    device_call: float = 140.0
    """What a scan on a device costs whatever its size (an H200: a million rows in 0.37 ms, ten
    million in 2.46)."""
    device_row: float = 0.00023
    """One row of it."""
    graph_step: float = 4.5
    """One step of the graph's beam: a node's neighbors are compared."""
    affordable: float = 5500.0
    """What the whole candidate set may cost where a page of it is cheaper."""


class Planner:
    """Chooses for each segment; `ef` is the least beam of the graph, up to `FEW_ROWS` rows."""

    def __init__(self, *, ef: int = LEAST_EF, costs: Costs | None = None) -> None:
        self._ef = ef
        self._costs = costs or Costs()

    def top_k(
        self, segment: Segment, mask: Mask, query: Vector, k: int, *, prefix: int | None = None
    ) -> tuple[str, ScoredRows]:
        """The search's name ("exact", "rabitq" or "hnsw") and the rows of the mask as good as the
        k-th best.

        Where only the first `prefix` of them are needed, the plans find no more than those.
        """
        needed = k if prefix is None else prefix
        matching = int(np.count_nonzero(mask))
        plan, whole = self._plan(segment, matching, k, needed)
        if plan == "graph" and segment.graph is not None:
            ef = self._beam(k, matching, segment)
            if not whole:
                k = min(k, max(needed, LEAST_MATCHING))
                ef = self._beam_of_page(k, matching, segment)
            pictures = segment.pictures
            scored = segment.graph.top_k(pictures, mask, query, k=k, ef=ef, needed=needed)
            if scored is not None:
                return "hnsw", scored
            plan, _ = self._exact_plan(segment, matching)
        if plan == "one bit" and segment.one_bit is not None:
            return "rabitq", segment.one_bit.top_k(mask, query, needed)
        return "exact", self._exact_top_k(plan, segment, mask, query, needed)

    def scans(self, segment: Segment, mask: Mask, k: int) -> bool:
        """Whether `top_k` would go through 8-bit rows of the mask."""
        return self._plan(segment, int(np.count_nonzero(mask)), k, k)[0] == "scan"

    def _exact_top_k(
        self, plan: Plan, segment: Segment, mask: Mask, query: Vector, k: int
    ) -> ScoredRows:
        scanned = segment.quantized
        if plan == "scan" and isinstance(scanned, DeviceVectors):
            return scanned.top_k(mask, query, k)
        if plan == "scan" and isinstance(scanned, QuantizedVectors):
            return scanned.top_k(mask, query, k)
        return exact_top_k(segment.pictures, np.flatnonzero(mask), query, k)

    def _plan(self, segment: Segment, matching: int, k: int, needed: int) -> tuple[Plan, bool]:
        """The plan for the best k, of which the first are needed, and whether it finds all k."""
        plan, cost = self._plan_of_set(segment, matching, k)
        if cost <= self._costs.affordable:
            return plan, True
        return self._plan_of_page(segment, matching, needed, plan, cost), False

    def _plan_of_set(self, segment: Segment, matching: int, k: int) -> tuple[Plan, float]:
        """The cheapest plan that gives the best k whole, and what it costs."""
        plan, cost = self._exact_plan(segment, matching)
        on_device = plan == "scan" and isinstance(segment.quantized, DeviceVectors)
        if segment.graph is not None and matching > k and not on_device:
            walk = self._costs.graph_step * self._beam(k, matching, segment)
            if walk < cost:
                return "graph", walk
        return plan, cost

    def _plan_of_page(
        self, segment: Segment, matching: int, needed: int, plan: Plan, cost: float
    ) -> Plan:
        """The cheapest plan for the first of a set that costs too much by the plan given."""
        costs, pictures = self._costs, segment.pictures
        if isinstance(segment.quantized, DeviceVectors):
            return plan
        if segment.one_bit is not None and needed <= min(PAGE, matching):
            reads = min(
                costs.scanned_bits * len(pictures.rows),
                costs.gathered_bits * matching * pictures.per_product,
            )
            if costs.rescoring + reads < cost:
                plan, cost = "one bit", costs.rescoring + reads
        if segment.graph is not None and matching > max(needed, LEAST_MATCHING):
            beam = self._beam_of_page(max(needed, LEAST_MATCHING), matching, segment)
            if costs.graph_step * beam < cost:
                plan = "graph"
        return plan

    def _exact_plan(self, segment: Segment, matching: int) -> tuple[Plan, float]:
        """The cheaper of the plans that are exact, and what it costs."""
        costs, pictures = self._costs, segment.pictures
        rows_matching = matching * pictures.per_product
        fetch = costs.fetched_row * rows_matching
        scanned, total = segment.quantized, len(pictures.rows)
        if scanned is None:
            return "fetch", fetch
        if isinstance(scanned, DeviceVectors):
            reads = costs.device_call + costs.device_row * total
        else:
            reads = min(costs.scanned_code * total, costs.gathered_code * rows_matching)
        scan = costs.rescoring + reads
        return ("scan", scan) if scan < fetch else ("fetch", fetch)

    def _beam(self, k: int, matching: int, segment: Segment) -> int:
        rows = len(segment.pictures.rows)
        least: float = self._ef * max(1.0, rows / FEW_ROWS) ** GROWTH
        return math.ceil(max(least, max(BREADTH * k, LEAST_MATCHING) * rows / matching))

    def _beam_of_page(self, k: int, matching: int, segment: Segment) -> int:
        affordable = self._costs.affordable / self._costs.graph_step
        widest = math.floor(min(affordable, len(segment.pictures.rows)))
        return max(widest, self._beam(k, matching, segment))


def search_of(searches: Collection[str]) -> str:
    """What an answer says of segments that were searched so: the least exact of them."""
    return next((name for name in ("hnsw", "rabitq") if name in searches), "exact")
