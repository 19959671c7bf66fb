"""Clustered unit vectors and products with fields of every selectivity, the same for every
rival."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.filters import Filter, parse_filter
from vitrine.index import VectorIndex
from vitrine.index.faiss import open_versions
from vitrine.products import Product, Record
from vitrine.settings import Settings

__all__ = [
    "DIMENSION",
    "SCHEMA",
    "SELECTIVITIES",
    "clustered",
    "fill",
    "publish",
    "queries",
    "share_filter",
    "views",
]

DIMENSION = 512
"""Of the vectors that searches are measured with, as those of CLIP ViT-B/32."""

SELECTIVITIES = {
    "100 %": 1.0,
    "50 %": 0.5,
    "10 %": 0.1,
    "1 %": 0.01,
    "0.1 %": 0.001,
    "0.01 %": 0.0001,
}
"""Share of the products under the filter.

Each is a range of the field `share`, uniform in [0, 1) and independent of the vectors.
"""

COLORS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "white",
    "gray",
    "beige",
)

SCHEMA = Schema(
    (
        Field("id", FieldType.KEYWORD),
        Field("title", FieldType.TEXT),
        Field("price", FieldType.MONEY),
        Field("color", FieldType.COLOR),
        Field("share", FieldType.NUMBER),
    )
)


def clustered(
    count: int, dimension: int, *, seed: int, clusters: int = 1000
) -> NDArray[np.float32]:
    """Unit rows (count, dimension) around `clusters` centers, as embeddings of products lie:
    near their kind, in a narrow cone."""
    rng = np.random.default_rng(seed)
    cone = rng.standard_normal(dimension).astype(np.float32)
    centers = rng.standard_normal((clusters, dimension), dtype=np.float32) + cone
    vectors = np.empty((count, dimension), np.float32)
    for start in range(0, count, 50_000):
        stop = min(start + 50_000, count)
        rows = centers[rng.integers(0, clusters, stop - start)] + 0.7 * rng.standard_normal(
            (stop - start, dimension), dtype=np.float32
        )
        vectors[start:stop] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def queries(vectors: NDArray[np.float32], count: int, *, seed: int) -> NDArray[np.float32]:
    """Unit rows (count, dimension) near stored ones but equal to none."""
    rng = np.random.default_rng(seed)
    rows = vectors[rng.integers(0, len(vectors), count)]
    rows = rows + (0.5 / np.sqrt(rows.shape[1])) * rng.standard_normal(rows.shape).astype(
        np.float32
    )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _records(
    vectors: NDArray[np.float32], *, seed: int, batch: int = 5000
) -> Iterator[list[Record]]:
    """Products for the vectors (products, dimension) or (products, pictures, dimension), in
    batches; ids are their numbers with leading zeros."""
    rng = np.random.default_rng(seed)
    shares = rng.permutation(len(vectors)) / len(vectors)
    prices, colors = (
        rng.uniform(1, 500, len(vectors)).round(2),
        rng.integers(0, len(COLORS), len(vectors)),
    )
    for start in range(0, len(vectors), batch):
        yield [
            _record(_product(i, float(prices[i]), COLORS[colors[i]], float(shares[i])), vectors[i])
            for i in range(start, min(start + batch, len(vectors)))
        ]


def fill(
    index: VectorIndex, vectors: NDArray[np.float32], *, batch: int = 5000
) -> NDArray[np.float64]:
    """Insert products with the vectors (products, dimension) or (products, pictures, dimension);
    gives what each has in the field `share`."""
    shares = np.empty(len(vectors))
    label = f"filling {index.info.backend}"
    with tqdm(total=len(vectors), desc=label, leave=False) as bar:
        for products in _records(vectors, seed=13, batch=batch):
            index.upsert(products)
            for record in products:
                shares[int(record.product.id[1:])] = float(str(record.product.attributes["share"]))
            bar.update(len(products))
    return shares


def share_filter(share: float) -> Filter:
    """What lets a share of the products through."""
    return parse_filter({} if share >= 1 else {"share": {"lt": share}}, SCHEMA)


def publish(folder: Path, vectors: NDArray[np.float32]) -> tuple[VectorIndex, NDArray[np.float64]]:
    """A published version of products with these vectors, as `fill` takes them, and what each
    has in the field `share`."""
    versions = open_versions(Settings(data_dir=folder))
    index = versions.create(
        model="random", fingerprint="random", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    shares = fill(index, vectors)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    return versions.live(), shares


def views(products: NDArray[np.float32], count: int, *, seed: int) -> NDArray[np.float32]:
    """Unit rows (products, count, dimension) around those of the products, at cosines of about 0.8
    to each other."""
    rng = np.random.default_rng(seed)
    shape = (len(products), count, products.shape[1])
    rows = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.5 / np.sqrt(shape[2]))
    rows += products[:, None]
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    return rows


def _record(product: Product, vectors: NDArray[np.float32]) -> Record:
    rows = np.atleast_2d(vectors)
    return Record(product, rows, tuple(f"{number:064}" for number in range(len(rows))))


def _product(number: int, price: float, color: str, share: float) -> Product:
    return Product(
        id=f"p{number:08d}",
        title=f"{color} thing {number}",
        price=price,
        currency="EUR",
        color=(color,),
        colors=(color,),
        attributes={"share": share},
    )
