"""Products with four pictures beside products with one: a page, what it finds, and the memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.filtered import DIMENSION, LIMIT, add_memory, filled, recall_of, share_filter
from benchmarks.interleaved import interleaved
from benchmarks.report import Figure, Report, percentile
from benchmarks.vectors import SELECTIVITIES, clustered, queries, views
from service.memory import keep_freed_memory
from vitrine.index import IndexQuery, VectorIndex

__all__ = ["measure"]

PICTURES = 4


def measure(report: Report, *, products: int, rounds: int) -> None:
    """Figures for each selectivity: how many times longer a page takes, and its recall@10."""
    keep_freed_memory()  # as a serving process does
    one = clustered(products, DIMENSION, seed=11)
    several = views(one, PICTURES, seed=14)
    query_rows = queries(several.reshape(-1, DIMENSION), rounds + 1, seed=12)
    with tempfile.TemporaryDirectory() as folder:
        single, _ = filled(Path(folder) / "one", one)
        index, shares = filled(Path(folder) / "several", several)
        for name, share in SELECTIVITIES.items():
            _add_page(report, name, _Case(single, index, several, shares, query_rows, share))
        single.close()
        index.close()
        name = f"{PICTURES} pictures"
        add_memory(report, name, Path(folder) / "several", query_rows, several.nbytes / 1e6)


class _Case:
    """Pages of one selectivity."""

    def __init__(
        self,
        single: VectorIndex,
        index: VectorIndex,
        vectors: NDArray[np.float32],
        shares: NDArray[np.float64],
        query_rows: NDArray[np.float32],
        share: float,
    ) -> None:
        self.vectors, self.query_rows = vectors, query_rows
        self.allowed = np.flatnonzero(shares < share)
        self.pages: list[set[int]] = []
        self.plan = ""
        self._single, self._index, self._filter = single, index, share_filter(share)

    def ways(self, *facets: str) -> dict[str, Callable[[], object]]:
        """A page of each index; each call asks for another one."""
        ones, several = iter(self.query_rows), iter(self.query_rows)

        def page() -> None:
            answer = self._index.search(self._question(next(several), facets))
            self.pages.append({int(hit.product.id[1:]) for hit in answer.hits})
            self.plan = answer.search

        return {
            "one": lambda: self._single.search(self._question(next(ones), facets)),
            "several": page,
        }

    def exact(self, query: NDArray[np.float32]) -> set[int]:
        """The right answer, by brute force."""
        scores = (self.vectors[self.allowed] @ query).max(axis=1)
        best = np.argsort(-scores)[:LIMIT]
        return set(self.allowed[best].tolist())

    def _question(self, query: NDArray[np.float32], facets: tuple[str, ...]) -> IndexQuery:
        return IndexQuery(
            vector=query, filter=self._filter, candidates=1000, limit=LIMIT, facets=facets
        )


def _add_page(report: Report, share: str, case: _Case) -> None:
    rounds = len(case.query_rows) - 1
    for facets, what in (((), "page"), (("color", "price"), "page with two facets")):
        case.pages.clear()
        label = f"{PICTURES} pictures, {share}, {what}"
        seconds = interleaved(case.ways(*facets), rounds=rounds, label=label)
        one, several = (percentile(seconds[way], 0.95) * 1e3 for way in ("one", "several"))
        ratio = several / one
        beside = {"one ms": one, f"{PICTURES} ms": several}
        name, note = f"{PICTURES} pictures: {what}", f"plan {case.plan}"
        target, met = ("<= 1.5", ratio <= 1.5) if not facets else ("", None)
        figure = Figure(f"{name}, p95 against one", ratio, "x", target, met, beside, note, share)
        report.add(figure)
        recall = recall_of(case.pages, [case.exact(query) for query in case.query_rows])
        name = f"{name}, recall@{LIMIT}"
        report.add(Figure(name, recall, "", ">= 0.99", recall >= 0.99, note=note, case=share))
