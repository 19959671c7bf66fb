"""Filtered search: recall against exact numpy and time against Qdrant's own engine, at every
selectivity."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import TypeAlias

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.interleaved import interleaved
from benchmarks.qdrant_edge import EdgeRival
from benchmarks.recall import LIMIT, exact_best, recall_of
from benchmarks.report import Figure, Report, add_growth, median, percentile
from benchmarks.search_memory import add_memory
from benchmarks.vectors import DIMENSION, SELECTIVITIES, clustered, publish, queries, share_filter
from vitrine.freed_memory import keep_freed_memory
from vitrine.index import IndexQuery, VectorIndex

__all__ = ["measure"]

Search: TypeAlias = Callable[[NDArray[np.float32]], set[int]]
"""From a query to the numbers of the best ten products."""

RIVAL_UP_TO = 100_000
"""Vectors; the rival builds its graph over a million for longer than 24 minutes on two cores."""
_NAMES = {"page": "page", "counted": "page with two facets", "ten": "best ten"}
"""What the report calls the searches of a case."""


def measure(report: Report, *, sizes: Sequence[int], rounds: int) -> None:
    """Figures for each size and selectivity: p95 of a filtered search, its recall@10, and the
    rival's time beside it; then how time and memory grow from one size to the next.

    A size for which there is no room is left out, in words.
    """
    keep_freed_memory()  # as a serving process does
    grown: dict[str, dict[int, float]] = defaultdict(dict)
    for size in sizes:
        if lacking := _lacking(size):
            print(f"filtered search of {size:,} vectors is left out: {lacking}")
            continue
        vectors = clustered(size, DIMENSION, seed=11)
        query_rows = queries(vectors, rounds + 1, seed=12)
        with tempfile.TemporaryDirectory() as folder:
            began = process_time()  # what else the machine does is no growth
            index, shares = publish(Path(folder), vectors)
            grown["filling and publishing, processor time"][size] = process_time() - began
            rival = (
                EdgeRival(Path(folder) / "edge", vectors, shares) if size <= RIVAL_UP_TO else None
            )
            for name, share in SELECTIVITIES.items():
                case = _Case(index, rival, vectors, shares, query_rows, share)
                grown[f"page, median, {name}"][size] = _add_case(
                    report, f"{size // 1000}k", name, case, rounds
                )
            index.close()
            grown["memory of a process that searches"][size] = add_memory(
                report, f"{size // 1000}k", Path(folder), query_rows, vectors.nbytes / 1e6
            )
    for name, values in grown.items():
        add_growth(report, name, values)


def _lacking(size: int) -> str:
    """What the machine lacks for so many vectors; empty when nothing.

    Brute force copies half of them, and what is derived from them takes another half.
    """
    free, needed = psutil.virtual_memory().available, 2 * size * DIMENSION * 4
    if free >= needed:
        return ""
    return f"{free / 1e9:.1f} GB of memory are free, {needed / 1e9:.1f} GB are needed"


class _Case:
    """One size and selectivity: several ways to the best ten."""

    def __init__(
        self,
        index: VectorIndex,
        rival: EdgeRival | None,
        vectors: NDArray[np.float32],
        shares: NDArray[np.float64],
        query_rows: NDArray[np.float32],
        share: float,
    ) -> None:
        self.index, self.rival, self.vectors, self.query_rows = index, rival, vectors, query_rows
        self.share = share
        self.allowed = np.flatnonzero(shares < share)
        self.filter = share_filter(share)
        self.plans: dict[str, str] = {}

    def ways(self) -> dict[str, Search]:
        """The searches to compare, by name."""
        ways: dict[str, Search] = {"page": self.page, "counted": self.counted, "ten": self.ten}
        if (rival := self.rival) is not None:
            ways["qdrant"] = lambda query: rival.best(query, self.share)
        return ways

    def page(self, query: NDArray[np.float32]) -> set[int]:
        """A page as the service asks for it: the best ten of a candidate set of 1000, with their
        products."""
        return self._search("page", query, candidates=1000)

    def counted(self, query: NDArray[np.float32]) -> set[int]:
        """The same with two facets, which are counted over all 1000."""
        return self._search("counted", query, candidates=1000, facets=("color", "price"))

    def ten(self, query: NDArray[np.float32]) -> set[int]:
        """The best ten alone: the question that the rival answers."""
        return self._search("ten", query, candidates=LIMIT)

    def _search(
        self, key: str, query: NDArray[np.float32], *, candidates: int, facets: tuple[str, ...] = ()
    ) -> set[int]:
        question = IndexQuery(
            vector=query, filter=self.filter, candidates=candidates, limit=LIMIT, facets=facets
        )
        answer = self.index.search(question)
        self.plans[key] = answer.search
        return {int(hit.product.id[1:]) for hit in answer.hits}


def _add_case(report: Report, size: str, name: str, case: _Case, rounds: int) -> float:
    """Add the figures of one case; the median milliseconds of its page."""
    results: dict[str, list[set[int]]] = defaultdict(list)

    def timed(key: str, search: Search) -> Callable[[], None]:
        return lambda: results[key].append(search(case.query_rows[len(results[key])]))

    seconds = interleaved(
        {key: timed(key, search) for key, search in case.ways().items()},
        rounds=rounds,
        label=f"{size}, {name}",
    )
    p50 = {key: median(values) * 1e3 for key, values in seconds.items()}
    limit = 10.0 if len(case.vectors) <= 100_000 else 25.0
    for key in ("page", "counted"):
        p95, what = percentile(seconds[key], 0.95) * 1e3, f"{size}: {_NAMES[key]}, p95"
        note, met = f"plan {case.plans[key]}, p50 {p50[key]:.2f}", p95 <= limit
        report.add(Figure(what, p95, "ms", f"<= {limit:g}", met, note=note, case=name))
    exact = [exact_best(case.vectors, case.allowed, query) for query in case.query_rows]
    for key, search in _NAMES.items():
        recall, what = recall_of(results[key], exact), f"{size}: {search}, recall@10"
        note = f"plan {case.plans[key]}"
        report.add(Figure(what, recall, "", ">= 0.99", recall >= 0.99, note=note, case=name))
    if "qdrant" in p50:
        ratio = p50["ten"] / p50["qdrant"]
        beside = {
            "vitrine ms": p50["ten"],
            "qdrant-edge ms": p50["qdrant"],
            "qdrant-edge recall": recall_of(results["qdrant"], exact),
        }
        what = f"{size}: best ten, median against qdrant-edge"
        report.add(Figure(what, ratio, "x", "<= 1.5", ratio <= 1.5, beside, case=name))
    return p50["page"]
