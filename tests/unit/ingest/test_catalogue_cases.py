"""Exports as shops write them, with what goes wrong in each; a test for each file."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.pictures import Picture, pictures_of
from ingest.sources import BrokenRow, LeftOutRow, Row, open_source
from ingest.sources.stream import StreamSource
from vitrine.errors import InvalidImage, InvalidMapping, InvalidProduct
from vitrine.fields import Mapping
from vitrine.products import Product
from vitrine.settings import Settings

CASES = Path(__file__).parents[2] / "data" / "catalogue"


@dataclass
class Outcome:
    """What became of a file's rows."""

    products: dict[str, Product] = field(default_factory=dict)
    pictures: dict[str, tuple[Picture, ...]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    warnings: dict[str, set[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def take(settings: Settings):
    def take(file: str, mapping: str) -> Outcome:
        loaded = Mapping.load(CASES / mapping)
        source = open_source(str(CASES / file), settings, loaded)
        loaded.require_columns(source.columns(set(loaded.columns().values())))
        outcome = Outcome(notes=source.notes())
        for row in source.rows():
            note(outcome, loaded, row)
        return outcome

    return take


def note(outcome: Outcome, mapping: Mapping, row: Row | BrokenRow | LeftOutRow) -> None:
    if isinstance(row, BrokenRow):
        outcome.failures.append(row.message)
    elif isinstance(row, LeftOutRow):
        outcome.left_out.append(row.reason)
    else:
        try:
            mapped = mapping.read_row(row.values, row.number)
            pictures = pictures_of(
                mapped.images, row.base, mapping.images, mapping.product.images.split
            )
        except (InvalidProduct, InvalidImage) as error:
            outcome.failures.append(str(error))
            return
        outcome.products[mapped.product.id] = mapped.product
        outcome.pictures[mapped.product.id] = pictures
        if mapped.warnings:
            outcome.warnings[mapped.product.id] = {warning.field for warning in mapped.warnings}


def test_01_shopify_variants(take):
    outcome = take("01-shopify-variants.csv", "01-shopify.toml")
    products = outcome.products
    assert set(products) == {"T-BLK-S", "T-BLK-M", "T-ROS-L"}
    assert [p.attributes["size"] for p in products.values()] == [("S",), ("M",), ("L",)]
    assert [p.colors for p in products.values()] == [("black",), ("black",), ("pink",)]
    assert [p.price for p in products.values()] == [19.0, 19.0, 21.0]
    assert [p.in_stock for p in products.values()] == [True, False, True]
    assert {p.group_id for p in products.values()} == {"crew-tee"}
    assert all("cotton" in p.attributes["tags"] for p in products.values())
    assert products["T-BLK-M"].description == "Soft tee.\n100% cotton & pre-shrunk."
    assert products["T-BLK-M"].compare_at_price == 25.0
    assert outcome.pictures["T-ROS-L"][0].path == str(CASES / "img/red.png")
    assert outcome.failures == []
    assert outcome.left_out == ["a further picture of its product", "Status is 'draft'"]


def test_02_woocommerce(take):
    outcome = take("02-woocommerce.csv", "02-woocommerce.toml")
    hood = outcome.products["HOOD"]
    assert set(outcome.products) == {"HOOD", "HOOD-B", "HOOD-G"}
    assert [p.path for p in outcome.pictures["HOOD"]] == [
        str(CASES / "img/blue.png"),
        str(CASES / "img/green.png"),
    ]
    assert hood.attributes["size"] == ("Large", "Small")
    assert hood.category == ("Clothing", "Clothing/Hoodies")
    assert outcome.products["HOOD-B"].price == 42.0
    assert outcome.products["HOOD-B"].compare_at_price == 45.0
    assert outcome.products["HOOD-G"].in_stock is True, "it can be ordered"
    assert {p.group_id for p in outcome.products.values()} == {"HOOD"}
    assert outcome.products["HOOD-B"].category == hood.category
    assert len(outcome.left_out) == 2


def test_03_one_broken_byte(take):
    outcome = take("03-one-broken-byte.csv", "basic.toml")
    titles = [p.title for p in outcome.products.values()]
    assert titles == ["Blusa de algodón 1", "Blusa de algodón 2", "Blusa de algodón 3", "Vestido"]
    assert any("1 byte is not UTF-8" in note for note in outcome.notes)


def test_04_number_fields(take):
    products = take("04-number-fields.csv", "04-number-fields.toml").products
    assert products["1"].attributes == {"weight": 1.25, "rating": 4.625}
    assert products["2"].attributes == {"weight": 0.75, "rating": 4.5}


def test_05_price_noise(take):
    products = take("05-price-noise.jsonl", "price.toml").products
    assert {id_: product.price for id_, product in products.items()} == dict.fromkeys(
        ("f32", "f64", "txt", "ok"), 19.99
    )


def test_06_availability(take):
    outcome = take("06-availability.csv", "06-availability.toml")
    cannot = {p.id for p in outcome.products.values() if not p.in_stock}
    assert len(outcome.products) == 26
    assert outcome.failures == []
    assert outcome.warnings == {}, "every word of the file is known"
    assert cannot == {"2", "15", "16", "17", "18", "20", "22"}


def test_07_quotes(take):
    outcome = take("07-quotes.tsv", "price.toml")
    rows = {
        p.id: (p.title, p.price, outcome.pictures[p.id][0].path) for p in outcome.products.values()
    }
    assert rows == {
        "1": ('"A" dress', 10.0, str(CASES / "img/red.png")),
        "2": ('"Unclosed dress', 20.0, str(CASES / "img/blue.png")),
        "3": ("good", 30.0, str(CASES / "img/green.png")),
        "4": ('x"', 40.0, str(CASES / "img/black.png")),
        "5": ('22" TV', 50.0, str(CASES / "img/grey.png")),  # codespell:ignore
    }


@pytest.mark.parametrize(
    ("file", "price"),
    [
        ("08-meta-template.csv", 10.0),
        ("09-sep-line.csv", 3.5),
        ("10-empty-header-names.csv", 3.5),
        ("11-blank-first-line.csv", 3.5),
        ("13-repeated-column.tsv", 3.5),
    ],
)
def test_08_to_13_headers(take, file: str, price: float):
    outcome = take(file, "price.toml")
    assert [p.price for p in outcome.products.values()] == [price]
    assert outcome.failures == []


def test_08_the_line_that_is_passed_over_is_told(take):
    assert "passed over" in take("08-meta-template.csv", "price.toml").notes[0]


def test_12_short_rows(take):
    assert set(take("12-short-rows.csv", "price.toml").products) == {"1", "2"}


def test_14_cp1251(take):
    outcome = take("14-cp1251.csv", "14-color.toml")
    assert outcome.products["1"].title == "Красное платье"
    assert outcome.products["1"].colors == ("red",)
    assert "Windows-1251, which is a guess" in outcome.notes[0]


def test_17_colours(take):
    outcome = take("17-colours.csv", "14-color.toml")
    families = {p.title: set(p.colors) for p in outcome.products.values()}
    assert families.pop("červená") == set()
    assert set(outcome.warnings) == {"8"}, "a word that is not known is told"
    expected = """Rot red, Schwarz black, Weiß white, Dunkelblau blue, rouge red, blanc white,
        rojo red, azul blue, красный red, 红色 red, ブラック black, Rosé pink, Crème beige,
        BLK black, WHT white,
        NVY blue, rosegold gold pink, Caramel brown, Chalk white"""
    for entry in expected.split(","):
        word, *names = entry.split()
        assert families.pop(word) == set(names), word
    assert not families


def test_17_a_mapping_has_words_of_its_own(settings: Settings):
    mapping = Mapping.load(CASES / "14-color.toml").to_dict() | {"colors": {"Červená": "red"}}
    row = {"id": "8", "title": "x", "color": "ČERVENÁ"}
    assert Mapping.from_dict(mapping).read(row, 0).colors == ("red",)
    with pytest.raises(InvalidMapping, match="'rouge' is not a color family"):
        Mapping.from_dict(mapping | {"colors": {"sang": "rouge"}})


def test_18_vertical_tab(take):
    assert take("18-vertical-tab.csv", "full.toml").products["1"].description == "Soft seat"


def test_19_list_with_src(take):
    outcome = take("19-list-with-src.json", "basic.toml")
    assert outcome.pictures["632910392"][0].path == str(CASES / "img/red.png")


def test_19_shopify_products(take):
    outcome = take("19-shopify-products.json", "19-shopify-products.toml")
    assert outcome.products["632910392"].price == 199.0
    assert outcome.pictures["632910392"][0].path == str(CASES / "img/red.png")
    assert outcome.notes == (
        "19-shopify-products.json: the rows are products[]; set items in [source] where they are "
        "not",
    )


def test_20_schema_org(take):
    product = take("20-schema-org.jsonl", "20-schema-org.toml").products["A1"]
    assert (product.price, product.currency, product.in_stock, product.brand) == (
        19.99,
        "EUR",
        True,
        "Acme",
    )


def test_21_magento(take):
    outcome = take("21-magento.csv", "21-magento.toml")
    product = outcome.products["WB01"]
    assert outcome.pictures["WB01"][0].path == str(CASES / "img/red.png")
    assert len(outcome.pictures["WB01"]) == 2, "the additional pictures come after the first"
    assert product.category == ("Default Category/Gear", "Default Category/Gear/Fitness Equipment")
    assert product.color == ("Black", "Blue")
    assert product.in_stock is True
    assert str(product.attributes["created"]) == "2015-10-25 03:34:20+00:00"


def test_25_brand_forms(take):
    brands = {p.brand for p in take("25-brand-forms.csv", "full.toml").products.values()}
    assert brands == {"Chloé", "CHLOÉ", "Marc Jacobs"}


def test_26_amazon_flat(take):
    outcome = take("26-amazon-flat.txt", "26-amazon.toml")
    assert {p.id: (p.title, p.price) for p in outcome.products.values()} == {
        "P1-RED": ("Oxford shirt red", 19.99)
    }
    assert "2 lines are passed over" in outcome.notes[0]


def test_29_sparse_through_standard_input():
    mapping = Mapping.load(CASES / "14-color.toml")
    source = StreamSource(io.BytesIO((CASES / "29-sparse.jsonl").read_bytes()), CASES)
    mapping.require_columns(source.columns(set(mapping.columns().values())))
    assert sum(isinstance(row, Row) for row in source.rows()) == 130


def test_30_price_notations(take):
    outcome = take("30-price-notations.csv", "30-price.toml")
    prices = {int(p.id): (p.price, p.currency) for p in outcome.products.values()}
    assert prices == {
        0: (19.99, "USD"),
        1: (45.0, "CAD"),
        2: (1299.0, "UAH"),
        3: (25000.0, "VND"),
        4: (450.0, "BDT"),
        5: (45.9, "PEN"),
        6: (1250.0, "KES"),
        7: (250.0, "EGP"),
        8: (450.0, "THB"),
        9: (1280.0, "JPY"),
        10: (12.5, "EUR"),
        11: (12.99, "USD"),
        15: (None, None),
        16: (None, None),
        17: (None, None),
        18: (12.5, "EUR"),
    }
    assert len(outcome.failures) == 3, "a range and a lowest price are refused by choice"
    assert all("price: " in failure for failure in outcome.failures)


def test_31_image_urls(take):
    outcome = take("31-image-urls.csv", "basic.toml")
    first = {id_: pictures[0] for id_, pictures in outcome.pictures.items()}
    host = "http://127.0.0.1:8999/img"
    assert first["proto"].url == "//127.0.0.1:8999/img/red.png"
    assert [p.url for p in outcome.pictures["list"]] == [f"{host}/red.png", f"{host}/blue.png"]
    assert first["comma"].url == f"{host}/a,b.png"
    assert len(outcome.pictures["comma"]) == 1
    assert first["query"].url == f"{host}/red.png?v=1&w=2"
    assert first["space"].url == f"{host}/red.png?t=a%20b"
    assert first["back"].path == str(CASES / "img/red.png")
    assert [p.path for p in outcome.pictures["json"]] == [
        str(CASES / "img/red.png"),
        str(CASES / "img/blue.png"),
    ]
