"""Whole catalogues through the embedded backend, searched afterwards."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ingest.failures import Failure, open_ledger
from ingest.pipeline import Summary
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from tests.fakes import COLORS, FakeEmbedder
from tests.unit.ingest.catalogue import MAPPING, Shop, picture
from vitrine.fields import Mapping
from vitrine.filters import parse_filter
from vitrine.queries import SearchQuery, WeightedText
from vitrine.settings import Settings
from vitrine.wiring import Vitrine


@pytest.fixture(params=[0, 2])
def vitrine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vitrine]:
    """One whose ingests decode and read in their own process, and in others."""
    settings = Settings(data_dir=tmp_path / "data", decode_processes=request.param)
    embedder = FakeEmbedder()
    with closing(Vitrine(settings, embedder=lambda _: embedder)) as made:
        yield made


def ingest(vitrine: Vitrine, source: Path, mapping: Mapping) -> Summary:
    return run(vitrine, open_source(str(source), vitrine.settings), mapping)


def found(vitrine: Vitrine, text: str | None = None, **filters: Any) -> list[str]:
    texts = (WeightedText(text),) if text else ()
    page = vitrine.engine.search(
        SearchQuery(texts=texts, filter=parse_filter(filters, vitrine.engine.schema), limit=200)
    )
    return [hit.product.id for hit in page.hits]


# a shop's catalogue with one broken row in ten

WORDS = {
    "missing_image": ("missing", "there is no file"),
    "no_image": ("missing", "has no picture"),
    "truncated_jpeg": ("truncated", ""),
    "empty_file": ("empty", "the file is empty"),
    "text_as_price": ("invalid_field", "price: 'ask us' is not a price"),
    "duplicate_id": ("duplicate_id", "stands in line 1 already"),
    "huge_png": ("too_many_pixels", "more pixels than any photo"),
    "no_title": ("invalid_field", "title: is missing"),
    "broken_line": ("broken_row", "not valid JSON"),
}


def spoil(shop: Shop, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """Break a row in one of the ways that shops break them."""
    pictures = shop.root / "pictures"
    if kind == "truncated_jpeg":
        Image.effect_noise((300, 300), 90).convert("RGB").save(pictures / f"{row['id']}.jpg")
        data = (pictures / f"{row['id']}.jpg").read_bytes()
        (pictures / f"{row['id']}.jpg").write_bytes(data[: len(data) // 2])
        return {**row, "image": f"pictures/{row['id']}.jpg"}
    if kind == "huge_png":
        Image.new("1", (20_000, 10_000)).save(pictures / "huge.png")
    if kind == "empty_file":
        (pictures / "empty.png").write_bytes(b"")
    changes: dict[str, dict[str, Any]] = {
        "missing_image": {"image": "pictures/none.png"},
        "no_image": {"image": None},
        "empty_file": {"image": "pictures/empty.png"},
        "text_as_price": {"price": "ask us"},
        "duplicate_id": {"id": "p0"},
        "huge_png": {"image": "pictures/huge.png"},
        "no_title": {"name": " "},
        "broken_line": {},
    }
    return {**row, **changes[kind]}


def test_every_good_product_is_found_and_every_bad_one_explained(
    tmp_path: Path, vitrine: Vitrine
) -> None:
    shop = Shop(tmp_path)
    kinds = list(WORDS)
    bad = {10 * (place + 1): kind for place, kind in enumerate(kinds)}
    rows = [
        spoil(shop, bad[n], shop.product(n)) if n in bad else shop.product(n)
        for n in range(10 * len(kinds) + 1)
    ]
    rows[5]["name"] = "🧦 " + "very long " * 500
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    lines = [line[:-5] if bad.get(n) == "broken_line" else line for n, line in enumerate(lines)]
    shop.catalogue.write_text("\n".join(lines), encoding="utf-8")

    summary = ingest(vitrine, shop.catalogue, MAPPING)

    good = {f"p{n}" for n in range(len(rows)) if n not in bad}
    assert (summary.done, summary.failed) == (len(good), len(bad))
    assert set(found(vitrine)) == good
    assert {i for color in COLORS for i in found(vitrine, f"{color} thing", color=color)} == good
    _explained({entry.row: entry for entry in open_ledger(vitrine.settings).entries()[0]}, bad)


def _explained(entries: dict[int | None, Failure], bad: dict[int, str]) -> None:
    assert set(entries) == set(bad)
    for row, kind in bad.items():
        reason, words = WORDS[kind]
        assert entries[row].reason == reason, kind
        assert words in entries[row].message, kind
        assert entries[row].id == (
            "p0"
            if kind == "duplicate_id"
            else f"line {row + 1}"
            if kind == "broken_line"
            else f"p{row}"
        )


# the data set of the lecture, written with its exact columns

COLUMNS = (
    "image",
    "Product_name",
    "Price",
    "colors",
    "Pattern",
    "Description",
    "Other Details",
    "Clipinfo",
)


def lecture_table(count: int) -> pa.Table:
    """Rows as the hub has them: pictures as the Image feature stores them, text elsewhere, no
    id."""
    rng = random.Random(5)
    rows = []
    for n in range(count):
        color = list(COLORS)[n % len(COLORS)]
        row: dict[str, Any] = {
            "image": {"bytes": picture(color, number=n), "path": None},
            "Product_name": f"{color.title()} Kurta {n}",
            "Price": f"₹{1000 + n:,}",
            "colors": f"{color.title()}, Multicolor" if n % 5 == 0 else color.title(),
            "Pattern": rng.choice(["Printed", "Solid", ""]),
            "Description": "A kurta for every day.",
            "Other Details": "Machine wash",
            "Clipinfo": f"{color} kurta",
        }
        assert tuple(row) == COLUMNS
        rows.append(row)
    features = {name: {"dtype": "string", "_type": "Value"} for name in COLUMNS} | {
        "image": {"_type": "Image"}
    }
    return pa.Table.from_pylist(rows).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )


@pytest.mark.parametrize("layout", ["file", "data set"])
def test_the_lectures_data_set_is_ingested_by_its_built_in_mapping(
    tmp_path: Path, vitrine: Vitrine, layout: str
) -> None:
    source = tmp_path / "ecommerce_products_clip" / "data" / "train-00000-of-00001.parquet"
    source.parent.mkdir(parents=True)
    pq.write_table(lecture_table(60), source)
    summary = ingest(
        vitrine,
        source if layout == "file" else source.parents[1],
        Mapping.load("ecommerce_products_clip"),
    )
    assert (summary.done, summary.failed) == (60, 0)
    assert set(found(vitrine)) == {str(n) for n in range(60)}
    assert set(found(vitrine, color="blue")) == {
        str(n) for n in range(60) if list(COLORS)[n % 6] == "blue"
    }
    assert set(found(vitrine, color="MULTICOLOR", price={"lt": 1031})) == {
        str(n) for n in range(0, 31, 5)
    }
    product = vitrine.engine.product("3").product
    assert (product.title, product.price, product.currency) == (
        f"{list(COLORS)[3].title()} Kurta 3",
        1003.0,
        "INR",
    )
    assert "pattern" in {field.name for field in vitrine.engine.schema}


# a folder of images


def test_a_folder_of_images_is_a_catalogue(tmp_path: Path, vitrine: Vitrine) -> None:
    folder = tmp_path / "photos"
    for n, name in enumerate(["Shoes/red-boot.png", "Shoes/Sandals/blue.png", "hat.png"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(list(COLORS)[n], number=n))
    summary = ingest(vitrine, folder, Mapping.load("image_folder"))
    assert summary.done == 3
    assert set(found(vitrine, category="Shoes")) == {"Shoes/red-boot.png", "Shoes/Sandals/blue.png"}
    assert found(vitrine, title="boot") == ["Shoes/red-boot.png"]


def test_the_same_pictures_under_many_products_are_kept_once(
    tmp_path: Path, vitrine: Vitrine
) -> None:
    shop = Shop(tmp_path)
    shop.fill_index(1)
    shop.rows = [{**shop.rows[0], "id": f"p{n}"} for n in range(30)]
    shop.write()
    assert ingest(vitrine, shop.catalogue, MAPPING).done == 30
    kept = [path for path in (vitrine.settings.data_dir / "images").rglob("*") if path.is_file()]
    assert [zlib.crc32(path.read_bytes()) for path in kept] == [
        zlib.crc32((tmp_path / "pictures/0.png").read_bytes())
    ]
