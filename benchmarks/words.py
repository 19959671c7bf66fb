"""What words cost: a query by words and pictures beside the vector alone, learning, and memory."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.named_products import (
    DEAREST,
    MAPPING,
    WordsEmbedder,
    products,
    records_of,
)
from benchmarks.report import Figure, Report
from benchmarks.vectors import COLORS
from benchmarks.word_memory import add_word_memory
from vitrine.filters import MATCH_ALL, Filter, parse_filter
from vitrine.index.faiss.versions import FaissVersions
from vitrine.learning import learn_version
from vitrine.products import Product
from vitrine.queries import Ranking, SearchQuery, WeightedText
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings

__all__ = ["measure", "measure_memory"]

SHARES = {"100 %": 1.0, "10 %": 0.1, "1 %": 0.01}
"""Share of the products under the filter, which is a highest price."""
_BATCH = 5000
_LEARNED_IN_TIME = 100_000
"""Products that are to be learned from within 30 seconds."""


def measure(report: Report, *, size: int, rounds: int) -> None:
    """Fill a version of pictures and one that keeps text vectors as well, let them learn, and ask
    the same queries with words and without."""
    named = list(products(size, seed=3))
    for text_vectors in (False, True):
        vectors = "pictures and texts" if text_vectors else "pictures"
        _measure_version(report, named, rounds, f"{size:,} products, {vectors}", text_vectors)


def measure_memory(report: Report, *, size: int) -> None:
    """Learning and memory of so many products with vectors of few dimensions, which take no part
    in either."""
    embedder = WordsEmbedder(dimension=8)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), hnsw_from=2 * size)
        with closing(FaissVersions(Path(folder) / "index", settings)) as versions:
            _learned(report, versions, products(size, seed=3), embedder, f"{size:,} products")
        add_word_memory(report, Path(folder), f"{size:,} products", size)


def _measure_version(
    report: Report, named: list[Product], rounds: int, case: str, text_vectors: bool
) -> None:
    embedder = WordsEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        with closing(FaissVersions(Path(folder) / "index", settings)) as versions:
            _learned(report, versions, named, embedder, case, text_vectors=text_vectors)
            add_word_memory(report, Path(folder), case, len(named))
            pool = EmbedderPool(lambda _: embedder)  # type: ignore[arg-type,return-value]
            engine = SearchEngine(LiveIndex(versions, pool), settings)
            _add_queries(report, engine, named, rounds, case)


def _learned(
    report: Report,
    versions: FaissVersions,
    named: Iterable[Product],
    embedder: WordsEmbedder,
    case: str,
    *,
    text_vectors: bool = False,
) -> None:
    """Publish a version of these products, and add what its learning took."""
    index = versions.create(
        model="stub",
        fingerprint="0" * 64,
        dimension=embedder.info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
        text_vectors=text_vectors,
    )
    remaining = iter(named)
    for number in itertools.count():
        some = list(itertools.islice(remaining, _BATCH))
        if not some:
            break
        index.upsert(records_of(some, embedder, seed=number, text_vectors=text_vectors))
    clock, processors = perf_counter(), process_time()
    learn_version(versions, index, embedder)  # type: ignore[arg-type]  # a stand-in
    seconds = perf_counter() - clock
    beside = {"processor s": process_time() - processors}
    target, met = ("<= 30", seconds <= 30) if index.count() <= _LEARNED_IN_TIME else ("", None)
    report.add(Figure("learning", seconds, "s", target, met, beside, case=case))
    versions.complete(index.info.name)
    versions.publish(index.info.name)


def _add_queries(
    report: Report, engine: SearchEngine, named: list[Product], rounds: int, case: str
) -> None:
    for label, share in SHARES.items():
        for kind, queries in questions(named, rounds, share):
            times: dict[Ranking, list[tuple[float, float]]] = {"vector": [], "auto": []}
            for query in queries:
                for ranking, spent in times.items():
                    spent.append(_milliseconds(engine, replace(query, ranking=ranking)))
            alone, fused = np.median(times["vector"], axis=0), np.median(times["auto"], axis=0)
            more, processors = (fused - alone).tolist()
            report.add(
                Figure(
                    f"words beside vectors, {kind}, filter of {label}",
                    more,
                    "ms more",
                    "<= 3",
                    more <= 3,
                    {
                        "vector alone ms": alone[0].item(),
                        "fused ms": fused[0].item(),
                        "processor ms more": processors,
                    },
                    case=case,
                )
            )


def _milliseconds(engine: SearchEngine, query: SearchQuery) -> tuple[float, float]:
    """What a search takes by the clock, and of all processors together: other work on the machine
    makes the first longer, not the second."""
    clock, processors = perf_counter(), process_time()
    engine.search(query)
    return (perf_counter() - clock) * 1e3, (process_time() - processors) * 1e3


def questions(
    named: Sequence[Product], count: int, share: float
) -> Iterator[tuple[str, list[SearchQuery]]]:
    """`count` queries of each kind under a filter that this share of the products fulfills.

    Each leaves out a product of its own, so that no answer is found in the cache.
    """
    rng = random.Random(4)
    kinds = sorted({product.title.split()[-1] for product in named})
    texts: dict[str, Callable[[], str]] = {
        "a color and a kind": lambda: f"{rng.choice(COLORS)} {rng.choice(kinds)}",
        "a whole title": lambda: rng.choice(named).title,
        "a color alone": lambda: rng.choice(COLORS),
        "a price": lambda: f"{rng.choice(kinds)} under {rng.randint(20, 400)}",
    }
    cheap: Filter = MATCH_ALL
    if share < 1:
        cheap = parse_filter({"price": {"lt": DEAREST * share}}, MAPPING.schema())
    for label, text in texts.items():
        yield (
            label,
            [
                SearchQuery(
                    texts=(WeightedText(text()),),
                    filter=cheap,
                    exclude=(f"SKU-{number:08}",),
                )
                for number in range(count)
            ],
        )
