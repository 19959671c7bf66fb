"""What words cost: a query by words and pictures beside the vector alone, learning, and memory."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Report, median
from benchmarks.vectors import COLORS, clustered, queries
from vitrine.fields.mapping import Mapping
from vitrine.index.faiss.columns.layout import EXACT, WORDS
from vitrine.index.faiss.versions import FaissVersions
from vitrine.learning import learn_version
from vitrine.products import Product, Record
from vitrine.queries import SearchQuery, WeightedText
from vitrine.search import SearchEngine
from vitrine.serving import EmbedderPool, LiveIndex
from vitrine.settings import Settings

__all__ = ["measure"]

DIMENSION = 512
MAPPING = Mapping.from_dict(
    {"product": {n: n for n in ("id", "title", "image", "price", "color", "category", "brand")}}
)
KINDS = 200
SERIES = 4000


class StubEmbedder:
    """A stand-in for the model that costs nothing: a text's vector is drawn from its words."""

    def __init__(self, near: NDArray[np.float32]) -> None:
        from vitrine.embedding import ModelInfo

        self.info = ModelInfo("stub", "0" * 64, DIMENSION, 20.0, 224)
        self._near = near

    def embed_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """One of the prepared rows for each text, (texts, DIMENSION)."""
        return self._near[[hash(text) % len(self._near) for text in texts]]

    def embed_images(self, images: list[object]) -> NDArray[np.float32]:
        """One of the prepared rows for each image."""
        return self._near[: len(images)]

    def truncates(self, text: str) -> bool:
        """Never."""
        return False


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
            price=round(rng.uniform(1, 500), 2),
            currency="EUR",
            color=(color,),
            colors=(color,),
            category=(f"shop/{kind}",),
            brand=rng.choice(brands),
        )


def measure(report: Report, *, size: int, rounds: int) -> None:
    """Fill a version, let it learn, and ask the same queries with words and without."""
    vectors = clustered(size, DIMENSION, seed=1)
    embedder = StubEmbedder(queries(vectors, 512, seed=2))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        versions = FaissVersions(Path(folder) / "index", settings)
        index = versions.create(
            model="stub",
            fingerprint="0" * 64,
            dimension=DIMENSION,
            schema=MAPPING.schema(),
            mapping=MAPPING.to_dict(),
        )
        names = list(products(size, seed=3))
        for start in range(0, size, 5000):
            batch = zip(names[start : start + 5000], vectors[start : start + 5000], strict=True)
            index.upsert([Record.of_picture(p, row, "0" * 64) for p, row in batch])
        started = perf_counter()
        learn_version(versions, index, embedder)  # type: ignore[arg-type]  # a stand-in
        case = f"{size:,} products"
        seconds = perf_counter() - started
        report.add(Figure("learning", seconds, "s", "<= 30", seconds <= 30, case=case))
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        _add_memory(report, Path(folder), case, size)
        pool = EmbedderPool(lambda _: embedder)  # type: ignore[arg-type,return-value]
        engine = SearchEngine(LiveIndex(versions, pool), settings)
        _add_queries(report, engine, names, rounds, case)
        versions.close()


def _add_memory(report: Report, folder: Path, case: str, size: int) -> None:
    from vitrine.storage.array_file import map_arrays

    (columns,) = folder.glob("index/*/derived/*/columns.bin")
    arrays = map_arrays(columns)
    total = sum(a.nbytes for key, a in arrays.items() if key.startswith((WORDS, EXACT)))
    note = f"{total / size:.0f} bytes a product, mapped"
    report.add(Figure("word index", total / 1e6, "MB", case=case, note=note))


def _add_queries(
    report: Report, engine: SearchEngine, names: list[Product], rounds: int, case: str
) -> None:
    rng = random.Random(4)
    kinds = sorted({product.title.split()[-1] for product in names})
    texts: dict[str, Callable[[], str]] = {
        "a color and a kind": lambda: f"{rng.choice(COLORS)} {rng.choice(kinds)}",
        "a whole title": lambda: rng.choice(names).title,
        "a color alone": lambda: f"{rng.choice(COLORS)} {rng.random()}",
        "a price": lambda: f"{rng.choice(kinds)} under {rng.randint(20, 400)}",
    }
    for label, text in texts.items():
        times: dict[str, list[float]] = {"vector": [], "auto": []}
        for _ in range(rounds):
            query = SearchQuery(texts=(WeightedText(text()),))
            for ranking, spent in times.items():
                asked_for = SearchQuery(texts=query.texts, ranking=ranking)  # type: ignore[arg-type]
                started = perf_counter()
                engine.search(asked_for)
                spent.append((perf_counter() - started) * 1e3)
        alone, fused = median(times["vector"]), median(times["auto"])
        report.add(
            Figure(
                f"words beside vectors, {label}",
                fused - alone,
                "ms more",
                "<= 3",
                fused - alone <= 3,
                {"vector alone ms": alone, "fused ms": fused},
                case=case,
            )
        )
