"""The mapping file, and rows read through it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from vitrine.errors import InvalidMapping, InvalidProduct
from vitrine.fields import Mapping, built_in_mappings
from vitrine.fields.columns import AttributeColumn
from vitrine.products import Product

SHOP = """
[product]
id = "sku"
title = "name"
image = "photo"
price = "price"
currency = "EUR"
color = "colour"  # codespell:ignore
category = "category"
in_stock = "stock"

[fields.material]
from = "material"
type = "keyword"

[fields.weight]
from = "weight"
type = "number"
"""


def shop(tmp_path: Path, text: str = SHOP) -> Mapping:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return Mapping.load(path)


def faults(tmp_path: Path, text: str) -> dict[str, str]:
    with pytest.raises(InvalidMapping) as caught:
        shop(tmp_path, text)
    return {error.field: error.message for error in caught.value.errors}


def test_the_schema_has_the_mapped_fields_in_order(tmp_path: Path) -> None:
    assert shop(tmp_path).schema().to_dict() == {
        "id": "keyword",
        "title": "text",
        "price": "money",
        "currency": "keyword",
        "color": "color",
        "category": "path",
        "in_stock": "bool",
        "material": "keyword",
        "weight": "number",
    }


def test_a_row_becomes_a_product(tmp_path: Path) -> None:
    row = {
        "sku": 7,
        "name": " Coat ",
        "price": "1.099,00 €",
        "colour": "Navy/Red",  # codespell:ignore
        "category": "Men > Coats",
        "stock": 3,
        "weight": "1,5",
    }
    assert shop(tmp_path).read(row, 0) == Product(
        id="7",
        title="Coat",
        price=1099.0,
        currency="EUR",
        color=("Navy/Red",),
        colors=("red", "blue"),
        category=("Men/Coats",),
        in_stock=True,
        attributes={"weight": 1.5},
    )


def test_empty_cells_and_lacking_columns_are_empty_fields(tmp_path: Path) -> None:
    assert shop(tmp_path).read(
        {"sku": "1", "name": "Coat", "price": "", "colour": None},  # codespell:ignore
        0,  # codespell:ignore
    ) == Product(id="1", title="Coat")


WRONG = {"sku": "", "name": "x\x00", "price": "on request", "stock": "perhaps", "weight": "heavy"}


def test_every_fault_that_costs_a_row_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidProduct) as caught:
        shop(tmp_path).read(WRONG, 0)
    assert {error.field for error in caught.value.errors} == {"id", "title", "price"}


def test_a_bad_cell_costs_the_cell_and_is_told(tmp_path: Path) -> None:
    row = shop(tmp_path).read_row({**WRONG, "sku": "1", "name": "Coat", "price": "5"}, 0)
    assert row.product == Product(id="1", title="Coat", price=5.0, currency="EUR")
    assert {warning.field for warning in row.warnings} == {"in_stock", "weight"}


def test_a_field_may_be_told_to_refuse_the_row(tmp_path: Path) -> None:
    text = SHOP.replace('from = "weight"', 'from = "weight"\non_error = "refuse"')
    with pytest.raises(InvalidProduct, match="weight"):
        shop(tmp_path, text).read({"sku": "1", "name": "Coat", "weight": "heavy"}, 0)
    cheap = SHOP.replace('price = "price"', 'price = {from = "price", on_error = "empty"}')
    assert shop(tmp_path, cheap).read({"sku": "1", "name": "C", "price": "ask"}, 0).price is None


def test_the_currency_of_a_row_may_stand_in_its_own_column(tmp_path: Path) -> None:
    mapping = shop(tmp_path, SHOP.replace('currency = "EUR"', 'currency_from = "money"'))
    row = {"sku": "1", "name": "Coat", "price": "19,90"}
    assert mapping.read({**row, "money": "chf"}, 0).currency == "CHF"
    assert mapping.read(row, 0).currency is None
    with pytest.raises(InvalidProduct, match="currency: 'gold' is not a currency"):
        mapping.read({**row, "money": "gold"}, 0)
    with pytest.raises(
        InvalidProduct, match="price: '5 €' is in EUR, but the catalogue's prices are in CHF"
    ):
        mapping.read({**row, "price": "5 €", "money": "CHF"}, 0)


def test_a_mapping_travels_as_plain_values(tmp_path: Path) -> None:
    mapping = shop(tmp_path)
    assert Mapping.from_dict(json.loads(json.dumps(mapping.to_dict()))) == mapping


def test_a_source_without_the_columns_is_told_which_and_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(InvalidMapping) as caught:
        shop(tmp_path).require_columns(
            [
                "sku",
                "Name",
                "photo",
                "price",
                "colour",  # codespell:ignore
                "category",
                "stock",
                "material",
            ]  # codespell:ignore
        )
    by_field = {error.field: error.message for error in caught.value.errors}
    assert set(by_field) == {"product.title", "fields.weight"}
    assert "no column 'name'" in by_field["product.title"]
    columns = "Name, category, colour, material, photo, price, sku, stock"  # codespell:ignore
    assert [columns in message for message in by_field.values()] == [False, True]


@pytest.mark.parametrize("key", ["id", "title", "images"])
def test_id_title_and_image_are_required(tmp_path: Path, key: str) -> None:
    text = "\n".join(
        line for line in SHOP.splitlines() if not line.startswith(f"{key.removesuffix('s')} ")
    )
    assert "is missing" in faults(tmp_path, text)[f"product.{key}"]


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        (
            SHOP.replace("title =", "titel ="),  # codespell:ignore
            "product.titel",  # codespell:ignore
            "did you mean 'title'",
        ),  # codespell:ignore
        (SHOP + '[files.x]\nfrom = "x"\ntype = "text"', "files", "did you mean 'fields'"),
        (SHOP.replace('type = "number"', 'type = "integer"'), "fields.weight.type", "'number'"),
        (SHOP.replace('from = "weight"', 'column = "weight"'), "fields.weight.from", "is missing"),
        (SHOP.replace("fields.weight", "fields.not"), "fields.not", "meaning of its own"),
        (SHOP.replace("fields.weight", "fields.limit"), "fields.limit", "meaning of its own"),
        (
            SHOP.replace("fields.weight", "fields.price_min"),
            "fields.price_min",
            "bounds the field 'price'",
        ),
        (
            SHOP.replace("fields.material", "fields.weight_max"),
            "fields.weight_max",
            "bounds the field 'weight'",
        ),
        (SHOP.replace("fields.weight", "fields.brand"), "fields.brand", "under [product]"),
        (
            SHOP.replace("fields.weight", 'fields."net weight"'),
            "fields.net weight",
            "start with a letter",
        ),
        (SHOP.replace('"EUR"', '"Euros"'), "product.currency", "three-letter"),
        (
            SHOP.replace('currency = "EUR"', 'currency = "EUR"\ncurrency_from = "c"'),
            "product.currency",
            "keep one",
        ),
        (SHOP.replace('price = "price"\n', ""), "product.currency", "without a price"),
        (SHOP.replace('"sku"', "5"), "product.id", "the name of a column"),
        (SHOP.replace('"sku"', '""'), "product.id", "is empty; name the column"),
        ('language = "german"\n' + SHOP, "language", "not a two-letter code such as en"),
        ("", "product", "is missing"),
        ("[product", "", "not valid TOML"),
    ],
)
def test_a_wrong_mapping_names_the_key_and_the_remedy(
    tmp_path: Path, wrong: str, key: str, words: str
) -> None:
    assert words in faults(tmp_path, wrong)[key]


def test_an_unknown_mapping_names_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidMapping, match="ecommerce_products_clip"):
        Mapping.load(tmp_path / "none.toml")


@pytest.mark.parametrize("name", built_in_mappings())
def test_built_in_mappings_are_valid(name: str) -> None:
    assert Mapping.load(name).schema().names().startswith("id, title")


def test_the_mappings_in_the_documentation_are_valid() -> None:
    found = sorted(Path(__file__).parents[3].glob("docs/mappings/*.toml"))
    assert found
    for path in found:
        Mapping.load(path)


def test_the_lectures_data_set_takes_the_row_number_for_an_id() -> None:
    row: dict[str, Any] = {
        "Product_name": "Cotton Kurta",
        "Price": "₹1,099",
        "colors": "Navy, multicolor",
        "Pattern": "Printed",
        "Description": "A kurta.",
        "Other Details": "Hand wash",
        "Clipinfo": "Cotton Kurta, Printed",
    }
    product = Mapping.load("ecommerce_products_clip").read(row, 17)
    assert (product.id, product.title, product.price, product.currency) == (
        "17",
        "Cotton Kurta",
        1099.0,
        "INR",
    )
    assert product.colors == ("blue", "multicolor")
    assert product.attributes == {
        "pattern": ("Printed",),
        "details": "Hand wash",
        "clip_info": "Cotton Kurta, Printed",
    }


def test_the_mapping_in_the_documentation_is_valid_and_says_all_keys() -> None:
    text = (Path(__file__).parents[3] / "docs" / "catalogue.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    mapping = Mapping.from_dict(tomllib.loads(block))
    assert set(tomllib.loads(block)["source"]) == set(type(mapping.source).model_fields)
    assert set(tomllib.loads(block)["fields"]["size"]) == {
        "from" if name == "names" else name for name in AttributeColumn.model_fields
    }


@pytest.mark.parametrize("name", built_in_mappings())
def test_built_in_mappings_travel_as_plain_values(name: str) -> None:
    mapping = Mapping.load(name)
    assert Mapping.from_dict(json.loads(json.dumps(mapping.to_dict()))) == mapping


def test_versions_built_by_earlier_releases_are_still_read() -> None:
    stored = {
        "product": {"id": "sku", "title": "name", "image": "photo", "price": "p", "color": "c"},
        "fields": {"size": {"from": "size", "type": "keyword"}},
    }
    row = {"sku": "1", "name": "Coat", "photo": "a.png", "p": "5", "c": "red", "size": "M"}
    mapped = Mapping.from_dict(stored).read_row(row, 0)
    assert mapped.images == ("a.png",)
    assert mapped.product.attributes == {"size": ("M",)}


@pytest.mark.parametrize(
    ("source", "key", "words"),
    [
        ({"rows": "variants"}, "source.group_by", "is missing"),
        ({"encoding": "klingon"}, "source.encoding", "is not an encoding"),
        ({"separator": "ab"}, "source.separator", "one character"),
        ({"seperator": ";"}, "source.seperator", "did you mean 'separator'"),  # codespell:ignore
    ],
)
def test_a_wrong_source_table_is_told(source: dict[str, Any], key: str, words: str) -> None:
    product = {"id": "a", "title": "b", "images": "c"}
    with pytest.raises(InvalidMapping) as caught:
        Mapping.from_dict({"product": product, "source": source})
    assert words in {error.field: error.message for error in caught.value.errors}[key]


def test_each_field_may_translate_split_scale_and_keep_markup() -> None:
    mapping = Mapping.from_dict(
        {
            "product": {
                "id": "id",
                "title": {"from": "t", "html": False},
                "images": "i",
                "price": {"from": "cents", "factor": 0.01},
                "currency": "EUR",
                "in_stock": {"from": "s", "values": {"Rayon 3": True}},
                "codes": ["ean", "mpn"],
            },
            "fields": {
                "size": {
                    "from": "size",
                    "type": "keyword",
                    "split": ",",
                    "values": {"M": "Medium", "-": ""},
                },
                "weight": {"from": "w", "type": "number", "decimal_mark": ","},
                "new": {"from": "n", "type": "bool", "values": {"nouveau": True}},
            },
        }
    )
    row = {"id": "1", "t": "<b>", "cents": 3361, "s": "rayon 3", "ean": "'400", "mpn": "M"}
    row |= {"size": "S, M, -", "w": "1,250", "n": "Nouveau"}
    product = mapping.read(row, 0)
    assert (product.title, product.price, product.in_stock) == ("<b>", 33.61, True)
    assert product.codes == ("400", "M")
    assert product.attributes == {"size": ("S", "Medium"), "weight": 1.25, "new": True}
