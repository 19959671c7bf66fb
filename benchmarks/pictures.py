"""Products with four pictures beside products with one: a page, what it finds, and the memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import interleaved
from benchmarks.recall import LIMIT, recall_of
from benchmarks.report import Figure, Report, median, percentile
from benchmarks.search_memory import add_memory
from benchmarks.vectors import (
    DIMENSION,
    SELECTIVITIES,
    clustered,
    publish,
    queries,
    share_filter,
    views,
)
from vitrine.freed_memory import keep_freed_memory
from vitrine.index import IndexQuery, VectorIndex
from vitrine.index.faiss.vectors.build import CODES, ONE_BIT

__all__ = ["measure"]

PICTURES = 4
_CHUNK = 2000
"""Products that are compared at a time."""


def measure(report: Report, *, products: int, rounds: int) -> None:
    """Figures for each selectivity: how many times longer a page takes, and its recall@10."""
    keep_freed_memory()  # as a serving process does
    one = clustered(products, DIMENSION, seed=11)
    several = views(one, PICTURES, seed=14)
    query_rows = queries(several.reshape(-1, DIMENSION), rounds + 1, seed=12)
    with tempfile.TemporaryDirectory() as folder:
        single, _ = publish(Path(folder) / "one", one)
        index, shares = publish(Path(folder) / "several", several)
        cosines = _largest_cosines(several, query_rows)
        for name, share in SELECTIVITIES.items():
            allowed = np.flatnonzero(shares < share)
            case = _Case(single, index, query_rows, share, _best(cosines, allowed))
            _add_page(report, name, case)
        single.close()
        index.close()
        name, vectors_mb = f"{PICTURES} pictures", several.nbytes / 1e6
        del one, several, cosines
        add_memory(report, name, Path(folder) / "several", query_rows, vectors_mb)
        _add_bytes(report, name, Path(folder) / "several", PICTURES * products)


def _add_bytes(report: Report, name: str, folder: Path, pictures: int) -> None:
    """What the files that a search maps have for a picture."""
    parts = {
        "vectors.f32": "float32",
        CODES[0]: "8-bit row",
        CODES[1]: "its error",
        ONE_BIT[0]: "one-bit row",
        ONE_BIT[1]: "its scale",
    }
    beside = {
        parts[path.name]: path.stat().st_size / pictures
        for path in folder.rglob("*")
        if path.name in parts
    }
    what = f"{name}: mapped files, for each picture"
    report.add(Figure(what, sum(beside.values()), "bytes", beside=beside))


def _largest_cosines(
    vectors: NDArray[np.float32], query_rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """By brute force those of each query with the pictures of each product (queries, products)."""
    cosines = np.empty((len(query_rows), len(vectors)), np.float32)
    for start in range(0, len(vectors), _CHUNK):
        some = vectors[start : start + _CHUNK]
        scores = query_rows @ some.reshape(-1, DIMENSION).T
        cosines[:, start : start + _CHUNK] = scores.reshape(len(query_rows), *some.shape[:2]).max(2)
    return cosines


def _best(cosines: NDArray[np.float32], allowed: NDArray[np.int64]) -> list[set[int]]:
    """The right answer of each query under a filter."""
    best = np.argsort(-cosines[:, allowed], axis=1)[:, :LIMIT]
    return [set(row.tolist()) for row in allowed[best]]


class _Case:
    """Pages of one selectivity, and the processor time of each (seconds of all threads)."""

    def __init__(
        self,
        single: VectorIndex,
        several: VectorIndex,
        query_rows: NDArray[np.float32],
        share: float,
        exact: list[set[int]],
    ) -> None:
        self.query_rows, self.exact = query_rows, exact
        self.pages: list[set[int]] = []
        self.processor: dict[str, list[float]] = {}
        self.plan = ""
        self._indexes, self._filter = {"one": single, "several": several}, share_filter(share)

    def ways(self, *facets: str) -> dict[str, Callable[[], object]]:
        """A page of each index; each call asks for another one."""
        self.pages.clear()
        self.processor = {name: [] for name in self._indexes}
        return {name: self._pages_of(name, facets) for name in self._indexes}

    def _pages_of(self, name: str, facets: tuple[str, ...]) -> Callable[[], object]:
        index, remaining = self._indexes[name], iter(self.query_rows)

        def page() -> None:
            started = process_time()
            answer = index.search(self._question(next(remaining), facets))
            self.processor[name].append(process_time() - started)
            if name == "several":
                self.pages.append({int(hit.product.id[1:]) for hit in answer.hits})
                self.plan = answer.search

        return page

    def _question(self, query: NDArray[np.float32], facets: tuple[str, ...]) -> IndexQuery:
        return IndexQuery(
            vector=query, filter=self._filter, candidates=1000, limit=LIMIT, facets=facets
        )


def _add_page(report: Report, share: str, case: _Case) -> None:
    rounds = len(case.query_rows) - 1
    for facets, what in (((), "page"), (("color", "price"), "page with two facets")):
        label = f"{PICTURES} pictures, {share}, {what}"
        seconds = interleaved(case.ways(*facets), rounds=rounds, label=label)
        p95 = {way: percentile(values, 0.95) for way, values in seconds.items()}
        busy = {way: median(values[1:]) for way, values in case.processor.items()}
        name, note = f"{PICTURES} pictures: {what}", f"plan {case.plan}"
        for measured, times in (("p95", p95), ("processor time, median", busy)):
            ratio = times["several"] / times["one"]
            has_target = measured == "p95" and not facets
            target, met = ("<= 1.5", ratio <= 1.5) if has_target else ("", None)
            beside = {"one ms": times["one"] * 1e3, f"{PICTURES} ms": times["several"] * 1e3}
            figure = f"{name}, {measured} against one"
            report.add(Figure(figure, ratio, "x", target, met, beside, note, share))
        recall = recall_of(case.pages, case.exact)
        name = f"{name}, recall@{LIMIT}"
        report.add(Figure(name, recall, "", ">= 0.99", recall >= 0.99, note=note, case=share))
