"""Writes the drawn catalogue as a parquet file with the columns of the data set
rajuptvs/ecommerce_products_clip, and some more."""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, Image, Value

from demo.assortment import CURRENCY, Ware, plan_assortment
from demo.drawing.render_jpeg import render_jpegs

__all__ = ["write_catalogue"]

PRODUCTS = 2400
SEED = 7
PICTURE_SIZE = 320
ROW_GROUP = 200

_FEATURES = Features(
    {
        "image": Image(),
        "Product_name": Value("string"),
        "Price": Value("string"),
        "colors": Value("string"),
        "Pattern": Value("string"),
        "Description": Value("string"),
        "Other Details": Value("string"),
        "Clipinfo": Value("string"),
        "id": Value("string"),
        "category": Value("string"),
        "currency": Value("string"),
        "brand": Value("string"),
        "in_stock": Value("bool"),
        "group_id": Value("string"),
        "material": Value("string"),
    }
)
"""The catalogue's columns; the first eight are the data set's own."""

Progress = Callable[[int, int], None]
"""Told how many products are done, and of how many."""


def write_catalogue(
    path: Path,
    *,
    products: int = PRODUCTS,
    seed: int = SEED,
    size: int = PICTURE_SIZE,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Draws the products and writes them to `path`, which it returns.

    The file depends on `products`, `seed` and `size` (pixels) alone, not on the number of
    processes, by default one for each core. It appears whole or not at all. ValueError for a number
    below one.
    """
    workers = processes if processes is not None else os.cpu_count() or 1
    for name, number in (("products", products), ("size", size), ("processes", workers)):
        if number < 1:
            raise ValueError(f"{name}: {number} is below 1")
    wares = plan_assortment(products, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        pictures = render_jpegs([ware.item for ware in wares], size=size, processes=workers)
        with closing(pictures), pq.ParquetWriter(unfinished, _FEATURES.arrow_schema) as writer:
            _write(writer, wares, pictures, progress)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _write(
    writer: pq.ParquetWriter,
    wares: list[Ware],
    pictures: Generator[bytes],
    progress: Progress | None,
) -> None:
    done = 0
    for start in range(0, len(wares), ROW_GROUP):
        rows: list[dict[str, object]] = []
        # The group comes first: a zip that began with the pictures would drop one at the end of
        # each group.
        for ware, picture in zip(wares[start : start + ROW_GROUP], pictures, strict=False):
            rows.append(_row(ware, picture))
            done += 1
            if progress is not None:
                progress(done, len(wares))
        writer.write_table(pa.Table.from_pylist(rows, schema=_FEATURES.arrow_schema))


def _row(ware: Ware, picture: bytes) -> dict[str, object]:
    item = ware.item
    colors = (
        item.color.title()
        if item.pattern == "plain"
        else f"{item.color.title()}, {item.accent.title()}"
    )
    look = (
        item.color if item.pattern == "plain" else f"{item.color} and {item.accent} {item.pattern}"
    )
    return {
        "image": {"bytes": picture, "path": f"{ware.id}.jpg"},
        "Product_name": ware.name,
        "Price": f"₹{ware.price:,}",
        "colors": colors,
        "Pattern": item.pattern,
        "Description": ware.description,
        "Other Details": (
            f"Brand: {ware.brand}; Material: {item.material}; "
            f"Style: {item.silhouette}; Care: {ware.care}"
        ),
        "Clipinfo": f"{ware.name}, {look}, {item.material}",
        "id": ware.id,
        "category": ware.category,
        "currency": CURRENCY,
        "brand": ware.brand,
        "in_stock": ware.in_stock,
        "group_id": ware.group_id,
        "material": item.material,
    }
