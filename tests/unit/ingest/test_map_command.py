"""`vitrine map` drafts a mapping that can be used, and previews one without writing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.catalogue import draft_mapping, preview_catalogue
from ingest.catalogue_commands import map_
from vitrine.errors import InvalidQuery
from vitrine.fields import Mapping
from vitrine.products import Product
from vitrine.settings import Settings

SHOP = """Artikel-Nr;Bezeichnung;Preis;Farbe;Bild;Bestand;Neu;Seit;Größen;Gewicht (kg);Text;Leer
0001;Tasse;4,50 €;Rot;img/a.png;12;ja;31.01.2026;S, M;1.250;{long};
0002;Teller;9,00 €;Blau;img/b.png;0;nein;01.02.2026;L, M;0.5;{long};
"""


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "shop.csv"
    path.write_text(SHOP.format(long="Ein langer Text. " * 8), encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(map_, arguments, catch_exceptions=False)


def add_pictures(folder: Path) -> None:
    (folder / "img").mkdir()
    for name in ("a", "b"):
        (folder / "img" / f"{name}.png").touch()


def test_a_draft_names_the_columns_and_guesses_their_types(catalogue: Path) -> None:
    draft = tomllib.loads(draft_mapping(str(catalogue), Settings(data_dir=catalogue.parent)))
    assert draft["product"] == {
        "id": "Artikel-Nr",
        "title": "Bezeichnung",
        "images": "Bild",
        "price": "Preis",
        "color": "Farbe",
        "in_stock": "Bestand",
    }
    kinds = {name: (field["type"], field.get("split")) for name, field in draft["fields"].items()}
    assert kinds == {
        "neu": ("bool", None),
        "seit": ("datetime", None),
        "grossen": ("keyword", ","),
        "gewicht_kg": ("number", None),
        "text_value": ("text", None),
    }
    labels = {name: field["label"] for name, field in draft["fields"].items() if "label" in field}
    assert labels == {"grossen": "Größen", "text_value": "Text"}  # the other names say it


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        (
            "Product ID [Non Editable],Title,Price,Sale Price,Hosted Image URLs",
            "p1,Mug,10.00,0.00,https://x.example/a.jpg",
            {"title": "Mug", "price": 10.0},
        ),
        (
            "product_sku,product_name,product_price,product_media_main_image_url,product_brand",
            "p1,Mug,10,https://x.example/a.jpg?w=9,Acme",
            {"title": "Mug", "price": 10.0, "brand": "Acme"},
        ),
        (
            "product_number,name-en_US,price-EUR,picture,description(en-gb)",
            "p1,Mug,10,files/a.jpg,Round",
            {"title": "Mug", "price": 10.0, "description": "Round"},
        ),
        (
            "Art.-Nr.;Bezeichnung;VK netto;Streichpreis;Warengruppe;Gewicht;Bild",
            'p1;Becher;"1.004,50 €";1250,00;Wohnen > Becher;1,250;a.jpg',
            {
                "price": 1004.5,
                "compare_at_price": 1250.0,
                "category": ("Wohnen/Becher",),
                "attributes": {"gewicht": 1.25},
            },
        ),
    ],
)
def test_a_draft_finds_columns_by_a_part_of_their_names_and_by_what_they_hold(
    catalogue: Path, columns: str, cells: str, expected: dict[str, object]
) -> None:
    settings = Settings(data_dir=catalogue.parent)
    catalogue.write_text(f"{columns}\n{cells}\n")
    mapping = Mapping.from_dict(tomllib.loads(draft_mapping(str(catalogue), settings)))
    (row,) = preview_catalogue(str(catalogue), settings, mapping).rows
    assert row.product is not None
    assert {name: getattr(row.product, name) for name in expected} == expected
    assert (row.product.id, len(row.pictures)) == ("p1", 1)


def test_a_draft_leads_to_what_objects_hold(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "name": "Tee",
        "images": [{"src": "https://shop.example/a.jpg", "name": "front"}],
        "categories": [{"id": 1, "name": "Tops"}, {"id": 2, "name": "Sale"}],
        "attributes": [
            {"name": "Color", "options": ["red", "blue"]},
            {"name": "Fit", "options": []},
        ],
        "seller": {"city": {"name": "Graz"}, "since": 2019},
        "price": {"amount": "12.50", "currency": "EUR"},
    }
    path = tmp_path / "products.json"
    path.write_text(json.dumps([row]))
    settings = Settings(data_dir=tmp_path)
    draft = tomllib.loads(draft_mapping(str(path), settings))
    (shown,) = preview_catalogue(str(path), settings, Mapping.from_dict(draft)).rows
    assert (shown.problems, shown.pictures) == ((), ("https://shop.example/a.jpg",))
    assert shown.product == Product(
        "7",
        "Tee",
        color=("red", "blue"),
        colors=("red", "blue"),
        price=12.5,
        currency="EUR",
        category=("Tops", "Sale"),
        attributes={"seller_city_name": ("Graz",), "seller_since": 2019.0},
    )


@pytest.mark.parametrize(
    ("categories", "split"),
    [
        (["/bags, /new", "/home"], ","),
        (["Tops,Sale", "Tops"], ","),
        (["Tops|Sale"], "|"),
        (["Home, Kitchen & Dining", "Tops"], None),
    ],
)
def test_a_draft_parts_categories_but_not_their_names(
    tmp_path: Path, categories: list[str], split: str | None
) -> None:
    path = tmp_path / "p.jsonl"
    rows = [{"sku": str(n), "name": "Mug", "Category": text} for n, text in enumerate(categories)]
    path.write_text("\n".join(map(json.dumps, rows)))
    product = tomllib.loads(draft_mapping(str(path), Settings(data_dir=tmp_path)))["product"]
    expected = {"from": "Category", "split": split} if split else "Category"
    assert product["category"] == expected


def test_of_prices_with_and_without_tax_a_draft_takes_those_that_shoppers_see(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Réf.;Désignation;Prix (HT);Prix (TTC);Photo\nR1;Sac;10,00;12,00;a.jpg\n")
    product = tomllib.loads(draft_mapping(str(path), Settings(data_dir=tmp_path)))["product"]
    assert (product["id"], product["title"]) == ("Réf.", "Désignation")
    assert product["price"] == "Prix (TTC)"


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (["Schal rot", "Hose für Kinder, blau", "Hut ohne Rand", "Hemd weiß"], "de"),
        (
            [
                "écharpe pour enfants",
                "chapeau avec fleurs",
                "veste noire",
                "jupe sans poche, pour elle",
            ],
            "fr",
        ),
        (["Red scarf", "Schal rot", "Hat with a brim", "Hut mit Rand", "Shoes", "Schuhe"], None),
        (["Onyx"], None),
        ([f"T{number}" for number in range(20)], None),
        (["Robe avec"] * 20, None),
    ],
)
def test_a_draft_guesses_the_language(
    catalogue: Path, titles: list[str], expected: str | None
) -> None:
    rows = "".join(f'{number},"{title}",a.png\n' for number, title in enumerate(titles))
    catalogue.write_text(f"sku,name,image\n{rows}", encoding="utf-8")
    draft = tomllib.loads(draft_mapping(str(catalogue), Settings(data_dir=catalogue.parent)))
    assert draft.get("language") == expected


def test_a_draft_of_several_unknown_prices_chooses_none(catalogue: Path) -> None:
    rows = [f"{number},Mug,{number} EUR,$2,a.png" for number in range(1, 20)]
    catalogue.write_text(
        "\n".join(["sku,name,Club,Deposit,image", *rows, "20,Mug,ask us,$2,a.png"])
    )
    text = draft_mapping(str(catalogue), Settings(data_dir=catalogue.parent))
    draft = tomllib.loads(text)
    assert '# price = ""' in text
    assert {name: field["type"] for name, field in draft["fields"].items()} == {
        "club": "money",
        "deposit": "money",
    }


def test_a_draft_is_a_mapping_that_works(catalogue: Path) -> None:
    settings = Settings(data_dir=catalogue.parent)
    mapping = Mapping.from_dict(tomllib.loads(draft_mapping(str(catalogue), settings)))
    rows = preview_catalogue(str(catalogue), settings, mapping).rows
    assert [row.product and row.product.price for row in rows] == [4.5, 9.0]
    assert rows[0].product is not None
    assert rows[0].product.colors == ("red",)


def test_the_command_prints_the_draft(catalogue: Path) -> None:
    result = run(str(catalogue))
    assert result.exit_code == 0
    assert 'title = "Bezeichnung"  # Tasse, Teller' in result.stdout
    assert 'the column "Leer" is empty' in result.stdout


def test_the_command_previews_a_mapping_and_writes_nothing(catalogue: Path) -> None:
    add_pictures(catalogue.parent)
    draft = catalogue.with_suffix(".toml")
    draft.write_text(run(str(catalogue)).stdout, encoding="utf-8")
    result = run(str(catalogue), "--map", str(draft), "--currency", "EUR", "--json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout)["rows"]
    assert rows[1]["place"] == "row 3"
    assert rows[1]["product"]["price"] == 9.0
    assert rows[1]["product"]["currency"] == "EUR"
    assert rows[1]["pictures"] == [str(catalogue.parent / "img/b.png")]
    assert not (catalogue.parent / "data").exists()


def test_a_preview_with_rows_that_would_fail_says_so(catalogue: Path) -> None:
    with catalogue.open("a", encoding="utf-8") as file:
        file.write("0003;Krug;auf Anfrage;Grün;img/c.png;1\n")
    draft = catalogue.with_suffix(".toml")
    draft.write_text(
        '[product]\nid = "Artikel-Nr"\ntitle = "Bezeichnung"\nimage = "Bild"\nprice = "Preis"\n'
    )
    result = run(str(catalogue), "--map", str(draft))
    assert result.exit_code == 1
    assert "row 4: would fail" in result.stdout
    assert "price: 'auf Anfrage' is not a price" in result.stdout


def test_a_preview_tells_of_pictures_that_are_not_there(catalogue: Path) -> None:
    add_pictures(catalogue.parent)
    (catalogue.parent / "img/b.png").unlink()
    draft = catalogue.with_suffix(".toml")
    draft.write_text(run(str(catalogue)).stdout, encoding="utf-8")
    result = run(str(catalogue), "--map", str(draft))
    assert result.exit_code == 1
    assert f"images: there is no file {catalogue.parent / 'img/b.png'}" in result.stdout
    assert "2 rows shown, 1 would fail" in result.output


def test_a_draft_has_the_currency_and_the_place_of_pictures_that_are_given(catalogue: Path) -> None:
    base = "https://shop.example/media"
    draft = tomllib.loads(run(str(catalogue), "--currency", "chf", "--images", base).stdout)
    assert (draft["product"]["currency"], draft["images"]["base"]) == ("CHF", base)
    with pytest.raises(InvalidQuery, match="--currency: 'EURO' is not a currency"):
        run(str(catalogue), "--currency", "EURO")
