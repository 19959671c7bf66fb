"""The road to Qdrant beside the embedded index: each question's requests, bytes and milliseconds.

With the address of a server, that server is measured. With "engine", Qdrant's own engine answers
behind the test server: requests and bytes are those of a server, and what Vitrine itself costs; the
milliseconds hold the test server's Python, no network, one shard and no graph, so they say nothing
of a server's own time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Report, median
from benchmarks.vectors import SCHEMA, SELECTIVITIES, clustered, queries, records
from vitrine.filters import parse_filter
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.faiss import open_versions as open_faiss
from vitrine.index.fusion import Fusion
from vitrine.index.qdrant import open_versions as open_qdrant
from vitrine.index.qdrant.wire import GrpcClient
from vitrine.queries import Sort
from vitrine.relevance import (
    CLOSE,
    BackgroundSample,
    RelevanceConstants,
    VectorModel,
    WordsModel,
    least_log_odds,
)
from vitrine.settings import Settings
from vitrine.words import Analyzer, VocabularyCounts, document_words, query_words

__all__ = ["ENGINE", "measure"]

ENGINE = "engine"
DIMENSION = 512
_WARMING = 3
"""Times that a question is asked before it is timed."""
_MOST_QUESTIONS = 40
_TARGETS_MS = {
    "page, two facets": 30.0,
    "page, ": 12.0,
    "later page": 20.0,
    "browse with two facets": 15.0,
}
"""Median on a real server with 100,000 products on two cores, by how a question's name begins."""


@dataclass
class Traffic:
    """What went over the wire since it was last cleared; `server_ms` is what the server says."""

    requests: int = 0
    sent: int = 0
    received: int = 0
    server_ms: float = 0.0

    def clear(self) -> None:
        """Count anew."""
        self.requests = self.sent = self.received = 0
        self.server_ms = 0.0


class RecordingStub:
    """A gRPC stub that counts what passes through it."""

    def __init__(self, stub: Any, traffic: Traffic) -> None:
        self._stub = stub
        self._traffic = traffic

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._stub, method)

        def recorded(request: Any, **options: Any) -> Any:
            answer = call(request, **options)
            self._traffic.requests += 1
            self._traffic.sent += request.ByteSize()
            self._traffic.received += answer.ByteSize()
            self._traffic.server_ms += 1e3 * getattr(answer, "time", 0.0)
            return answer

        return recorded


def measure(report: Report, where: str, folder: Path, *, products: int, rounds: int) -> None:
    """Fill both backends with the same products and ask both the same."""
    vectors = clustered(products, DIMENSION, seed=11)
    asked = queries(vectors, _MOST_QUESTIONS * (rounds + _WARMING), seed=12)
    with ExitStack() as ended:
        remote = open_qdrant(_settings(where, ended))
        beside = open_faiss(Settings(data_dir=folder))
        traffic = ended.enter_context(_recorded())
        filled = []
        for name, versions in (("qdrant", remote), ("embedded", beside)):
            started = time.perf_counter()
            index = _filled(versions, vectors)
            seconds = time.perf_counter() - started
            report.add(Figure(f"{name}: filled and indexed", products / seconds, "products/s"))
            filled.append(index)
        ended.callback(remote.discard, filled[0].info.name)
        targets = {} if where == ENGINE else _TARGETS_MS
        road = _Road(report, filled[0], filled[1], traffic, rounds, targets)
        for number, (name, question) in enumerate((*_questions(asked), *_worded(asked, filled[0]))):
            # each question has vectors of its own: what was found before is remembered
            road.ask(name, question, first=number * (rounds + _WARMING))
        road.read_all(products)


def _settings(where: str, ended: ExitStack) -> Settings:
    shared: dict[str, Any] = {
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


@contextmanager
def _recorded() -> Iterator[Traffic]:
    traffic, stub = Traffic(), GrpcClient.stub
    GrpcClient.stub = property(  # type: ignore[assignment]  # put back below
        lambda client: RecordingStub(stub.fget(client), traffic)  # type: ignore[attr-defined]
    )
    try:
        yield traffic
    finally:
        GrpcClient.stub = stub  # type: ignore[method-assign]


def _filled(versions: IndexVersions, vectors: NDArray[np.float32]) -> VectorIndex:
    index = versions.create(
        model="random", fingerprint="random", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    for batch in records(vectors, seed=13, batch=1000):
        index.upsert(batch)
    versions.build_index(index.info.name)
    versions.complete(index.info.name)
    return versions.open(index.info.name)


@dataclass(frozen=True)
class Question:
    """What is timed, for an index and the number of a vector, and what is done before."""

    ask: Callable[[VectorIndex, int], object]
    prepare: Callable[[VectorIndex, int], object] | None = None


def _questions(vectors: NDArray[np.float32]) -> Iterator[tuple[str, Question]]:
    def searched(**options: Any) -> Question:
        return Question(
            lambda index, i: index.search(
                IndexQuery(vector=vectors[i], **{"candidates": 1000, "limit": 24, **options})
            )
        )

    def browsed(**options: Any) -> Question:
        return Question(lambda index, _: index.search(IndexQuery(limit=24, **options)))

    for name, share in SELECTIVITIES.items():
        tree = parse_filter({} if share >= 1 else {"share": {"lt": share}}, SCHEMA)
        yield f"page, {name}", searched(filter=tree)
        yield f"page, two facets, {name}", searched(filter=tree, facets=("color", "price"))
    yield "later page", _later_page(vectors)
    yield "page of what looks like a product", searched(exclude=frozenset({"p00000001"}))
    yield "page by price, two facets", searched(sort=Sort("price"), facets=("color", "price"))
    yield "browse by id", browsed()
    yield "browse with two facets", browsed(facets=("color", "price"))
    yield "browse by price", browsed(sort=Sort("price"))


def _worded(vectors: NDArray[np.float32], index: VectorIndex) -> Iterator[tuple[str, Question]]:
    """Words and vectors together: words that few products have, and words of which every product
    has one. The constants are such as real catalogues teach; these products, whose texts say
    nothing of their vectors, teach none."""
    analyzer, counts, rows = Analyzer("en"), VocabularyCounts(), []
    for batch in index.scan(batch=1000):
        counts.add([document_words(r.product, SCHEMA, analyzer) for r in batch])
        rows += [r.vector for r in batch]
    vocabulary = counts.vocabulary()
    model = VectorModel(8.0, 0.5, 0.0, 0.0, -4.0)
    background = BackgroundSample(np.stack(rows[:1000]).astype(np.float16), None)
    constants = RelevanceConstants(
        model, model, WordsModel(6.0, 0.3, -2.0, 0.3, 0.5), background, products=len(rows)
    )

    def searched(text: str, **options: Any) -> Question:
        words = query_words(text, vocabulary, analyzer)
        fusion = Fusion(text, "", words, constants, "text", least_log_odds(CLOSE))
        return Question(
            lambda index, i: index.search(
                IndexQuery(vector=vectors[i], fusion=fusion, candidates=1000, limit=24, **options)
            )
        )

    yield "page by words and vector, few have a word", searched("red 123 456")
    yield "page by words and vector, a word that a twelfth has", searched("red")
    yield "page by words and vector, all have a word", searched("red thing")
    yield (
        "page by words and vector, two facets, all have a word",
        searched("red thing", facets=("color", "price")),
    )


def _later_page(vectors: NDArray[np.float32]) -> Question:
    """The third page; the two before it are read beforehand."""
    tokens: dict[tuple[str, int], Any] = {}

    def prepare(index: VectorIndex, i: int) -> None:
        query = IndexQuery(vector=vectors[i], candidates=1000, limit=24)
        second = index.search(replace(query, page_token=index.search(query).next_token))
        tokens[index.info.name, i] = second.next_token

    def ask(index: VectorIndex, i: int) -> object:
        token = tokens[index.info.name, i]
        return index.search(
            IndexQuery(vector=vectors[i], candidates=1000, limit=24, page_token=token)
        )

    return Question(ask, prepare)


@dataclass(frozen=True)
class _Road:
    """Both indexes, and what is counted on the way to the remote one."""

    report: Report
    remote: VectorIndex
    beside: VectorIndex
    traffic: Traffic
    rounds: int
    targets: Mapping[str, float]

    def ask(self, name: str, question: Question, *, first: int) -> None:
        """Time a question on both, and count what it sends to Qdrant; `first` is its first
        vector."""
        numbers = range(first, first + _WARMING + self.rounds)
        both = self.remote, self.beside
        for index in both:
            if (prepare := question.prepare) is not None:
                for i in numbers:
                    prepare(index, i)
            for i in numbers[:_WARMING]:
                question.ask(index, i)
        self.traffic.clear()
        timed = numbers[_WARMING:]
        remote, beside = (self._timed(question, index, timed) for index in both)
        target = next((ms for prefix, ms in self.targets.items() if name.startswith(prefix)), None)
        traffic, rounds = self.traffic, self.rounds
        note = (
            f"{traffic.requests / rounds:.1f} requests, {traffic.sent / rounds / 1e3:.1f} kB out, "
            f"{traffic.received / rounds / 1e3:.1f} kB in, "
            f"server {traffic.server_ms / rounds:.1f} ms"
        )
        self.report.add(
            Figure(
                f"qdrant: {name}",
                remote,
                "ms",
                "" if target is None else f"<= {target:g}",
                None if target is None else remote <= target,
                {"embedded": beside},
                note,
            )
        )

    def read_all(self, products: int) -> None:
        """Time reading a thousand records by id, and all of them."""
        ids = [f"p{i:08d}" for i in range(0, products, max(1, products // 1000))][:1000]
        actions: dict[str, Callable[[VectorIndex], object]] = {
            "get of 1,000": lambda index: index.get(ids),
            "scan of all": lambda index: sum(len(batch) for batch in index.scan(batch=1000)),
        }
        for name, action in actions.items():
            self.traffic.clear()
            milliseconds = []
            for index in (self.remote, self.beside):
                started = time.perf_counter()
                action(index)
                milliseconds.append(1e3 * (time.perf_counter() - started))
            note = f"{self.traffic.requests} requests, {self.traffic.received / 1e6:.1f} MB in"
            beside = {"embedded": milliseconds[1]}
            figure = Figure(f"qdrant: {name}", milliseconds[0], "ms", "", None, beside, note)
            self.report.add(figure)

    @staticmethod
    def _timed(question: Question, index: VectorIndex, numbers: range) -> float:
        times = []
        for i in numbers:
            started = time.perf_counter()
            question.ask(index, i)
            times.append(1e3 * (time.perf_counter() - started))
        return median(times)
