"""Qdrant beside the embedded index: each question's requests, bytes and milliseconds, recall,
filling, reading, and pages while products are written.

With the address of a server, that server is measured. With "engine", Qdrant's own engine answers
behind the test server: requests and bytes are those of a server, and what Vitrine itself costs; the
milliseconds hold the test server's Python, no network, one shard and no graph. They say nothing of
a server's own time, so no target is held against them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.questions import Question, page, questions, questions_with_words
from benchmarks.recall import LIMIT, exact_best, recall_of
from benchmarks.report import Figure, Report, median
from benchmarks.traffic import Traffic, recorded
from benchmarks.vectors import (
    DIMENSION,
    SCHEMA,
    SELECTIVITIES,
    clustered,
    fill,
    queries,
    share_filter,
)
from benchmarks.writing import add_beside_writes, writing
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.faiss import open_versions as open_faiss
from vitrine.index.qdrant import open_versions as open_qdrant
from vitrine.settings import Settings

__all__ = ["ENGINE", "measure"]

ENGINE = "engine"
_WARMING = 3
"""Times that a question is asked before it is timed."""
_MOST_QUESTIONS = 40
_MOST_MS = {
    "page, two facets": 30.0,
    "page, ": 12.0,
    "later page": 20.0,
    "browse": 15.0,
}
"""Median on a real server with 100,000 products on two cores, by how a question's name begins."""
_MOST_TIMES_RAW = 1.5
"""How much longer a page may take than its requests: what Vitrine and the client add."""
_MOST_GET_MS = 120.0
"""For a thousand records."""
_MOST_SCAN_MS = 0.15
"""For each product: 15 seconds for 100,000."""
_LEAST_RECALL = 0.99
_GETS = 5


def measure(
    report: Report, where: str, folder: Path, *, products: int, rounds: int, pages: int
) -> None:
    """Fill both backends with the same products and ask both the same; `pages` are asked of each
    while nothing is written, and as many while products are."""
    vectors = clustered(products, DIMENSION, seed=11)
    query_vectors = queries(vectors, _MOST_QUESTIONS * (rounds + _WARMING), seed=12)
    with ExitStack() as ended:
        settings = _settings(where, ended), Settings(backend="faiss", data_dir=folder)
        versions = open_qdrant(settings[0]), open_faiss(settings[1])
        filled = [_filled(one, vectors) for one in versions]
        traffic = ended.enter_context(recorded())
        remote, beside = (one.index for one in filled)
        ended.callback(versions[0].discard, remote.info.name)
        comparison = _Comparison(report, remote, beside, traffic, judged=where != ENGINE)
        rates = (products / one.filling_s for one in filled)
        comparison.add("filling", *rates, unit="products/s")
        comparison.add("until indexed", *(one.indexing_s for one in filled), unit="s")
        every = (*questions(query_vectors), *questions_with_words(query_vectors, beside))
        for number, (name, question) in enumerate(every):
            # each question has vectors of its own: what was found before is remembered
            first = number * (rounds + _WARMING)
            comparison.ask(name, question, range(first, first + _WARMING + rounds))
        comparison.add_recall(vectors, filled[0].shares, query_vectors[:rounds])
        comparison.read_all(products)
        # last, for it changes the products
        comparison.ask_beside_writes(settings, queries(vectors, 2 * pages, seed=15))


def _settings(where: str, ended: ExitStack) -> Settings:
    shared: dict[str, Any] = {
        "backend": "qdrant",
        "qdrant_timeout_s": 120,
        "qdrant_write_timeout_s": 600,
        "qdrant_prefix": "vitrine-bench",
    }
    if where != ENGINE:
        return Settings(qdrant_url=where, **shared)
    # the tests' own server, which is not part of what is type-checked
    engine = import_module("tests.integration.qdrant.engine").Engine
    serve = import_module("tests.integration.qdrant.grpc_server").serve
    port = ended.enter_context(serve(ended.enter_context(closing(engine()))))
    return Settings(qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=port, **shared)


@dataclass(frozen=True)
class _Filled:
    """A version, the seconds that it took, and what each product has in the field `share`."""

    index: VectorIndex
    filling_s: float
    indexing_s: float
    shares: NDArray[np.float64]


def _filled(versions: IndexVersions, vectors: NDArray[np.float32]) -> _Filled:
    index = versions.create(
        model="random", fingerprint="random", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    began = perf_counter()
    shares = fill(index, vectors, batch=1000)
    filled = perf_counter()
    versions.build_index(index.info.name)
    versions.complete(index.info.name)
    indexed = perf_counter()
    return _Filled(versions.open(index.info.name), filled - began, indexed - filled, shares)


@dataclass(frozen=True)
class _Comparison:
    """Both indexes, and what is counted on the way to the remote one; targets hold where `judged`
    says so."""

    report: Report
    remote: VectorIndex
    beside: VectorIndex
    traffic: Traffic
    judged: bool

    def add(
        self,
        name: str,
        remote: float,
        beside: float,
        *,
        unit: str = "ms",
        most: float | None = None,
        note: str = "",
    ) -> None:
        """Add a figure of Qdrant with that of the embedded index beside it."""
        most = most if self.judged else None
        target, met = ("", None) if most is None else (f"<= {most:g}", remote <= most)
        embedded = {"embedded": beside}
        self.report.add(Figure(f"qdrant: {name}", remote, unit, target, met, embedded, note))

    def ask(self, name: str, question: Question, numbers: range) -> None:
        """Time a question on both, and count what it sends to Qdrant; `numbers` are its
        vectors."""
        both = self.remote, self.beside
        for index in both:
            if (prepare := question.prepare) is not None:
                for i in numbers:
                    prepare(index, i)
            for i in numbers[:_WARMING]:
                question.ask(index, i)
        self.traffic.clear()
        traffic, timed = self.traffic, numbers[_WARMING:]
        seconds, raw = [], []
        for i in timed:
            mark = traffic.mark()
            seconds += _seconds(question, self.remote, range(i, i + 1))
            raw.append(traffic.raw_seconds(mark))
        remote, beside = median(seconds), median(_seconds(question, self.beside, timed))
        note = (
            f"{traffic.requests / len(timed):.1f} requests, "
            f"{traffic.sent / len(timed) / 1e3:.1f} kB out, "
            f"{traffic.received / len(timed) / 1e3:.1f} kB in, "
            f"server {traffic.server_ms / len(timed):.1f} ms, raw {1e3 * median(raw):.4g} ms"
        )
        most = next((ms for prefix, ms in _MOST_MS.items() if name.startswith(prefix)), None)
        self.add(name, 1e3 * remote, 1e3 * beside, most=most, note=note)
        if name.startswith("page, "):
            self._add_times_raw(name, remote / median(raw))

    def _add_times_raw(self, name: str, times: float) -> None:
        """Add how many times longer a page takes than the same requests sent raw."""
        what, case = name.rsplit(", ", 1)
        target, met = "", None
        if self.judged:
            target, met = f"<= {_MOST_TIMES_RAW:g}", times <= _MOST_TIMES_RAW
        name = f"qdrant: {what}, times the raw requests"
        self.report.add(Figure(name, times, "x", target, met, case=case))

    def add_recall(
        self,
        vectors: NDArray[np.float32],
        shares: NDArray[np.float64],
        query_vectors: NDArray[np.float32],
    ) -> None:
        """How many of the best ten of a page both find, against brute force."""
        for case, share in SELECTIVITIES.items():
            allowed = np.flatnonzero(shares < share)
            exact = [exact_best(vectors, allowed, query) for query in query_vectors]
            for name, index in (("qdrant", self.remote), ("embedded", self.beside)):
                recall = recall_of([_best(index, query, share) for query in query_vectors], exact)
                target, met = (
                    (f">= {_LEAST_RECALL:g}", recall >= _LEAST_RECALL)
                    if self.judged
                    else ("", None)
                )
                what = f"{name}: page, recall@{LIMIT}"
                self.report.add(Figure(what, recall, "", target, met, case=case))

    def read_all(self, products: int) -> None:
        """Time reading a thousand records by id, and all of them."""
        ids = [f"p{i:08d}" for i in range(0, products, max(1, products // 1000))][:1000]
        actions: tuple[tuple[str, Callable[[VectorIndex], object], int, float], ...] = (
            ("get of 1,000", lambda index: index.get(ids), _GETS, _MOST_GET_MS),
            ("scan of all", _scan, 1, _MOST_SCAN_MS * products),
        )
        for name, action, times, most in actions:
            self.traffic.clear()
            question = Question(lambda index, _, action=action: action(index))  # type: ignore[misc]
            remote, beside = (
                1e3 * median(_seconds(question, index, range(times)))
                for index in (self.remote, self.beside)
            )
            traffic = self.traffic
            requests, megabytes = traffic.requests / times, traffic.received / times / 1e6
            note = f"{requests:.1f} requests, {megabytes:.1f} MB in"
            self.add(name, remote, beside, most=most, note=note)

    def ask_beside_writes(
        self, settings: tuple[Settings, Settings], query_vectors: NDArray[np.float32]
    ) -> None:
        """Pages with two facets while nothing is written, then while another process writes."""
        question, half = page(query_vectors, facets=("color", "price")), len(query_vectors) // 2
        indexes = ("qdrant", self.remote), ("embedded", self.beside)
        for (name, index), where in zip(indexes, settings, strict=True):
            quiet = _seconds(question, index, range(half))
            with writing(where, index.info.name) as writer:
                busy = _seconds(question, index, range(half, 2 * half))
            what = f"{name}: page with two facets"
            add_beside_writes(self.report, what, quiet, busy, writer, judged=self.judged)


def _best(index: VectorIndex, vector: NDArray[np.float32], share: float) -> set[int]:
    """The numbers of the products of a page of ten."""
    query = IndexQuery(vector=vector, filter=share_filter(share), candidates=1000, limit=LIMIT)
    return {int(hit.product.id[1:]) for hit in index.search(query).hits}


def _scan(index: VectorIndex) -> int:
    return sum(len(batch) for batch in index.scan(batch=1000))


def _seconds(question: Question, index: VectorIndex, numbers: range) -> list[float]:
    seconds = []
    for i in numbers:
        began = perf_counter()
        question.ask(index, i)
        seconds.append(perf_counter() - began)
    return seconds
