"""What words cost: a query by words and pictures beside the vector alone, learning, and memory."""

from __future__ import annotations

import random
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Report
from benchmarks.vectors import COLORS
from vitrine.fields.mapping import Mapping
from vitrine.filters import MATCH_ALL, Filter, parse_filter
from vitrine.index.faiss.columns.layout import EXACT, WORDS
from vitrine.index.faiss.versions import FaissVersions
from vitrine.learning import learn_version
from vitrine.products import Product, Record
from vitrine.queries import Ranking, SearchQuery, WeightedText
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings
from vitrine.words import product_text

__all__ = ["measure"]

DIMENSION = 512
MAPPING = Mapping.from_dict(
    {"product": {n: n for n in ("id", "title", "image", "price", "color", "category", "brand")}}
)
KINDS = 200
SERIES = 4000
DEAREST = 500.0
SHARES = {"100 %": 1.0, "10 %": 0.1, "1 %": 0.01}
"""Share of the products under the filter, which is a highest price."""
NOISE = 3.0
"""Of a picture, per dimension, where each word adds 1: a query's cosine with what it means is then
about 0.3 and with the rest 0.0, of a deviation of 0.04."""


class WordsEmbedder:
    """A stand-in for the model that costs nothing: each word has a direction, a text is the sum of
    its words, and a picture lies near the words for what it shows."""

    def __init__(self) -> None:
        from vitrine.embedding import ModelInfo

        self.info = ModelInfo("stub", "0" * 64, DIMENSION, 20.0, 224)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A unit row for each text, (texts, DIMENSION)."""
        return _unit([np.sum([direction(w) for w in _words(text)], axis=0) for text in texts])

    def embed_images(self, images: list[object]) -> NDArray[np.float32]:
        """No query of this benchmark has a picture."""
        raise ValueError("the benchmark of words asks with texts alone")

    def truncates(self, text: str) -> bool:
        """Never."""
        return False

    def pictures_of(self, named: Sequence[Product], *, seed: int) -> NDArray[np.float32]:
        """A unit row for each product, (products, DIMENSION): the color and the kind that its title
        ends with, what all pictures have in common, and noise; series and brand do not show."""
        rng = np.random.default_rng(seed)
        rows = []
        for product in named:
            color, kind = product.title.split()[-2:]
            noise = NOISE * rng.standard_normal(DIMENSION, dtype=np.float32)
            rows.append(direction("") + 0.5 * direction(color) + direction(kind) + noise)
        return _unit(rows)


@cache
def direction(word: str) -> NDArray[np.float32]:
    """What the word adds to a vector, (DIMENSION,): the same in every run."""
    rng = np.random.default_rng(zlib.crc32(word.encode()))
    return rng.standard_normal(DIMENSION, dtype=np.float32)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold()) or [""]


def _unit(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    matrix = np.stack(rows)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def products(count: int, *, seed: int) -> Iterator[Product]:
    """Products with names as shops have them: a brand, a series, a color and a kind."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word() -> str:
        return "".join(rng.choices(letters, k=rng.randint(4, 9)))

    kinds, series = [word() for _ in range(KINDS)], [word() for _ in range(SERIES)]
    brands = [word() for _ in range(50)]
    for number in range(count):
        color, kind = rng.choice(COLORS), rng.choice(kinds)
        yield Product(
            id=f"SKU-{number:08}",
            title=f"{rng.choice(series)} {rng.choice(series)} {color} {kind}",
            price=round(rng.uniform(0, DEAREST), 2),
            currency="EUR",
            color=(color,),
            colors=(color,),
            category=(f"shop/{kind}",),
            brand=rng.choice(brands),
        )


def measure(report: Report, *, size: int, rounds: int) -> None:
    """Fill a version of pictures and one that keeps text vectors as well, let them learn, and ask
    the same queries with words and without."""
    named = list(products(size, seed=3))
    for text_vectors in (False, True):
        vectors = "pictures and texts" if text_vectors else "pictures"
        _measure_version(report, named, rounds, f"{size:,} products, {vectors}", text_vectors)


def _measure_version(
    report: Report, named: list[Product], rounds: int, case: str, text_vectors: bool
) -> None:
    embedder = WordsEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        versions = FaissVersions(Path(folder) / "index", settings)
        index = versions.create(
            model="stub",
            fingerprint="0" * 64,
            dimension=DIMENSION,
            schema=MAPPING.schema(),
            mapping=MAPPING.to_dict(),
            text_vectors=text_vectors,
        )
        for start in range(0, len(named), 5000):
            index.upsert(_records(named[start : start + 5000], embedder, start, text_vectors))
        started = perf_counter()
        learn_version(versions, index, embedder)  # type: ignore[arg-type]  # a stand-in
        seconds = perf_counter() - started
        report.add(Figure("learning", seconds, "s", "<= 30", seconds <= 30, case=case))
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        _add_memory(report, Path(folder), case, len(named))
        pool = EmbedderPool(lambda _: embedder)  # type: ignore[arg-type,return-value]
        engine = SearchEngine(LiveIndex(versions, pool), settings)
        _add_queries(report, engine, named, rounds, case)
        versions.close()


def _records(
    named: Sequence[Product], embedder: WordsEmbedder, seed: int, text_vectors: bool
) -> list[Record]:
    pictures = embedder.pictures_of(named, seed=seed)
    records = [Record.of_picture(p, row, "0" * 64) for p, row in zip(named, pictures, strict=True)]
    if not text_vectors:
        return records
    texts = embedder.embed_texts([product_text(product) for product in named])
    return [replace(record, text_vector=row) for record, row in zip(records, texts, strict=True)]


def _add_memory(report: Report, folder: Path, case: str, size: int) -> None:
    from vitrine.storage.array_file import map_arrays

    (columns,) = folder.glob("index/*/derived/*/columns.bin")
    arrays = map_arrays(columns)
    total = sum(a.nbytes for key, a in arrays.items() if key.startswith((WORDS, EXACT)))
    note = f"{total / size:.0f} bytes a product, mapped"
    report.add(Figure("word index", total / 1e6, "MB", case=case, note=note))


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
