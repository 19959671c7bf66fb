"""The drawn catalogue: a parquet that `datasets` loads like any shop's, with the lecture's
columns."""

import re
from collections import Counter, defaultdict
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from demo.assortment import plan_assortment
from demo.catalogue import write_catalogue
from demo.drawing import CATEGORIES, COLORS, MATERIALS, PATTERNS, draw
from vitrine.fields.mapping import Mapping

LECTURE_COLUMNS = [
    "image",
    "Product_name",
    "Price",
    "colors",
    "Pattern",
    "Description",
    "Other Details",
    "Clipinfo",
]
EXTRA_COLUMNS = ["id", "category", "currency", "brand", "in_stock", "group_id", "material"]
PRODUCTS = 90
SIZE = 48


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_catalogue(
        tmp_path_factory.mktemp("catalogue") / "new folder" / "demo.parquet",
        products=PRODUCTS,
        size=SIZE,
        processes=1,
    )


@pytest.fixture(scope="module")
def rows(parquet: Path, tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    return datasets.load_dataset(
        "parquet",
        data_files=str(parquet),
        split="train",
        cache_dir=str(tmp_path_factory.mktemp("cache")),
    )


def test_the_parquet_has_the_lectures_columns_first_and_then_the_demos_own(
    rows: datasets.Dataset,
) -> None:
    assert rows.column_names == LECTURE_COLUMNS + EXTRA_COLUMNS
    assert len(rows) == PRODUCTS


def test_datasets_decodes_the_image_column_into_the_drawn_picture(rows: datasets.Dataset) -> None:
    assert isinstance(rows.features["image"], datasets.Image)
    drawn = [np.asarray(draw(ware.item, SIZE)).astype(int) for ware in plan_assortment(PRODUCTS, 7)]
    for i in (0, 41, PRODUCTS - 1):
        assert (rows[i]["image"].mode, rows[i]["image"].size) == ("RGB", (SIZE, SIZE))
        errors = [np.abs(np.asarray(rows[i]["image"]) - picture).mean() for picture in drawn]
        assert int(np.argmin(errors)) == i
        assert errors[i] < 12, "JPEG loses a little of the picture, not more"


def test_a_row_tells_what_its_picture_shows(rows: datasets.Dataset) -> None:
    wares = {ware.id: ware.item for ware in plan_assortment(PRODUCTS, 7)}
    for row in rows.remove_columns("image"):
        item = wares[row["id"]]
        assert row["category"].split("/")[1].lower() == item.category
        assert row["colors"].lower().split(", ")[0] == item.color
        assert row["Pattern"] == item.pattern
        assert row["material"] == item.material
        assert item.color in row["Description"]
        assert item.material in row["Description"].lower()
        assert (item.accent.title() in row["colors"]) == (item.pattern != "plain")


def test_prices_are_text_in_one_currency_as_the_lectures_are(rows: datasets.Dataset) -> None:
    assert set(rows["currency"]) == {"INR"}
    for price in rows["Price"]:
        assert re.fullmatch(r"₹\d{1,3}(,\d{3})*", price), price
    assert "₹1," in "".join(rows["Price"])


def test_every_text_column_is_filled_in(rows: datasets.Dataset) -> None:
    for row in rows.remove_columns("image"):
        assert all(value.strip() for value in row.values() if isinstance(value, str)), row


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_the_number_of_processes_does_not_change_a_byte(
    parquet: Path, tmp_path: Path, processes: int
) -> None:
    other = write_catalogue(
        tmp_path / "other.parquet", products=PRODUCTS, size=SIZE, processes=processes
    )
    assert sha256(other.read_bytes()).digest() == sha256(parquet.read_bytes()).digest()


def test_another_seed_makes_another_catalogue() -> None:
    assert plan_assortment(60, 7) == plan_assortment(60, 7)
    assert plan_assortment(60, 7) != plan_assortment(60, 8)


def test_progress_counts_every_product_once(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    write_catalogue(
        tmp_path / "small.parquet",
        products=5,
        size=16,
        processes=1,
        progress=lambda done, total: progress.append((done, total)),
    )
    assert progress == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_catalogue_that_could_not_be_finished_leaves_no_file_behind(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_catalogue(
            tmp_path / "broken.parquet", products=5, size=16, processes=1, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"products": 0}, {"size": 0}, {"processes": 0}])
def test_a_number_below_one_is_refused_by_its_name(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: 0 is below 1$"):
        write_catalogue(tmp_path / "none.parquet", **wrong)


def test_the_full_assortment_has_every_category_in_every_color() -> None:
    wares = plan_assortment(2400, 7)
    assert len({ware.id for ware in wares}) == len(wares) == 2400
    pairs = Counter((ware.item.category, ware.item.color) for ware in wares)
    assert all(pairs[category, color] >= 3 for category in CATEGORIES for color in COLORS)
    assert {ware.item.pattern for ware in wares} == set(PATTERNS)
    assert {(ware.item.category, ware.item.material) for ware in wares} == {
        (c, m) for c in CATEGORIES for m in MATERIALS[c]
    }
    assert 0.8 < sum(ware.in_stock for ware in wares) / len(wares) < 0.95


def test_variants_of_a_group_are_one_style_in_different_colors() -> None:
    groups: dict[str, list[Any]] = defaultdict(list)
    for ware in plan_assortment(2400, 7):
        groups[ware.group_id].append(ware)
    assert sum(len(wares) > 1 for wares in groups.values()) > 300
    for wares in groups.values():
        assert (
            len(
                {
                    (w.name, w.brand, w.price, w.item.category, w.item.silhouette, w.item.material)
                    for w in wares
                }
            )
            == 1
        )
        assert len({w.item.color for w in wares}) == len(wares)


def test_a_toy_mug_never_costs_what_a_sofa_does() -> None:
    prices: dict[str, list[int]] = defaultdict(list)
    for ware in plan_assortment(2400, 7):
        prices[ware.item.category].append(ware.price)
    assert max(prices["mug"]) < min(prices["sofa"])
    assert all(len(set(found)) > 5 for found in prices.values())


def test_the_demos_mapping_reads_every_row_into_the_product_that_was_drawn(
    rows: datasets.Dataset,
) -> None:
    mapping = Mapping.load(Path(str(files("demo").joinpath("catalogue.toml"))))
    mapping.require_columns(rows.column_names)
    wares = {ware.id: ware for ware in plan_assortment(PRODUCTS, 7)}
    for number, row in enumerate(rows):
        product = mapping.read(row, number)
        ware = wares[product.id]
        assert (product.title, product.price, product.currency) == (
            ware.name,
            float(ware.price),
            "INR",
        )
        assert (product.brand, product.in_stock, product.group_id) == (
            ware.brand,
            ware.in_stock,
            ware.group_id,
        )
        assert ware.item.color in product.colors
        assert product.category == (ware.category,)
        assert (product.value("pattern"), product.value("material")) == (
            (ware.item.pattern,),
            (ware.item.material,),
        )


def test_the_built_in_mapping_of_the_lectures_data_set_reads_it_too(rows: datasets.Dataset) -> None:
    mapping = Mapping.load("ecommerce_products_clip")
    mapping.require_columns(rows.column_names)
    assert mapping.read(rows[3], 3).title == rows[3]["Product_name"]
