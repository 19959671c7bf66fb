"""`python -m benchmarks.judged.views FOLDER`: photos of one product find it by its other photos.

Each query is a further view of a product. It is taken out of the index while it is asked, so that
the product has to be found by its main photo alone, or by that and its remaining views.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping as Views
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.judged.shop import embed_photos, read_products
from vitrine.embedding.load import load_embedder
from vitrine.fields.mapping import Mapping
from vitrine.index import IndexQuery, VectorIndex
from vitrine.index.faiss import open_versions
from vitrine.products import Product, Record
from vitrine.settings import Settings, load_settings

BEST = 10
MAPPING = Path(__file__).parents[2] / "docs" / "mappings" / "magento.toml"


@dataclass(frozen=True)
class ViewQuery:
    """A photo, and the id of the product that it shows."""

    photo: str
    product_id: str


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Report recall@10 of the view queries in FOLDER with one picture a product and with all."""
    products = read_products(folder, Mapping.load(MAPPING))
    photos = {
        p.id: row["image"] for p, row in zip(products, _lines(folder, "products"), strict=True)
    }
    queries = [
        ViewQuery(row["query_image"], row["relevant"][0]) for row in _lines(folder, "image_queries")
    ]
    files = sorted({*photos.values(), *(query.photo for query in queries)})
    rows = embed_photos((folder / file for file in files), load_embedder(load_settings()))
    vectors = dict(zip(files, rows, strict=True))
    views = {"one picture": {i: [photo] for i, photo in photos.items()}}
    views["all pictures"] = {i: [*names] for i, names in views["one picture"].items()}
    for query in queries:
        views["all pictures"][query.product_id].append(query.photo)
    further = [query for query in queries if len(views["all pictures"][query.product_id]) > 2]
    for name, shown in views.items():
        found, same = _ask(products, shown, vectors, queries)
        remaining = np.mean([found[query] for query in further])
        click.echo(
            f"{name}: recall@{BEST} {np.mean([*found.values()]):.3f} of {len(queries)} queries, "
            f"{remaining:.3f} of the {len(further)} whose product has further pictures; "
            f"{same} of {len(queries)} answers as by brute force"
        )


def _ask(
    products: Sequence[Product],
    views: Views[str, Sequence[str]],
    vectors: Views[str, NDArray[np.float32]],
    queries: Sequence[ViewQuery],
) -> tuple[dict[ViewQuery, bool], int]:
    """Whether each query finds its product, and how many answers are those of brute force."""
    by_id = {product.id: product for product in products}

    def record(product_id: str, without: str = "") -> Record:
        photos = [photo for photo in views[product_id] if photo != without]
        rows = np.stack([vectors[photo] for photo in photos])
        return Record(by_id[product_id], rows, tuple(photos))

    found, same = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        index = _index(Path(folder), len(next(iter(vectors.values()))))
        records = {product_id: record(product_id) for product_id in by_id}
        index.upsert(list(records.values()))
        for query in queries:
            shortened = record(query.product_id, without=query.photo)
            index.upsert([shortened])
            vector = vectors[query.photo]
            hits = index.search(IndexQuery(vector=vector, candidates=BEST, limit=BEST)).hits
            ids = [hit.product.id for hit in hits]
            found[query] = query.product_id in ids
            same += ids == _brute_force({**records, query.product_id: shortened}, vector)
            index.upsert([records[query.product_id]])
        index.close()
    return found, same


def _index(folder: Path, dimension: int) -> VectorIndex:
    versions = open_versions(Settings(data_dir=folder))
    schema = Mapping.load(MAPPING).schema()
    return versions.create(
        model="views", fingerprint="views", dimension=dimension, schema=schema, mapping={}
    )


def _brute_force(records: Views[str, Record], vector: NDArray[np.float32]) -> list[str]:
    """The ids of the best ten by their largest cosine, summed in float64."""
    scores = {
        product_id: float((record.vectors.astype(np.float64) @ vector).max())
        for product_id, record in records.items()
    }
    return sorted(scores, key=lambda product_id: (-scores[product_id], product_id))[:BEST]


def _lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


if __name__ == "__main__":
    main()
