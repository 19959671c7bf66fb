"""Exports of the usual shop systems, in their exact columns, go in right without a mapping.

The files were written for these tests; each has hidden, variant, multi-picture or broken rows as
that system writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.catalogue import MappingChoice, Preview, choose_mapping, preview_catalogue
from vitrine.errors import InvalidMapping
from vitrine.fields import Mapping, built_in_mappings, recognize
from vitrine.fields.built_in import Recognized
from vitrine.products import Product
from vitrine.settings import Settings

EXPORTS = Path(__file__).parents[2] / "data" / "exports"

EXPECTED: dict[str, tuple[str, dict[str, tuple[Any, ...]], int, int]] = {
    # file: mapping, id -> (price, currency, colors, in stock, group, pictures), left out, failed
    "shopify.csv": (
        "shopify",
        {
            "LS-S-N": (49.0, None, ("blue",), True, "linen-shirt", 1),
            "LS-M-W": (49.0, None, ("white",), False, "linen-shirt", 1),
            "mug": (9.5, None, (), False, "mug", 1),
        },
        2,
        1,
    ),
    "shopify-2024.csv": (
        "shopify",
        {
            "LS-S": (49.0, None, (), True, "linen-shirt", 1),
            "LS-M": (52.0, None, (), False, "linen-shirt", 1),
        },
        1,
        0,
    ),
    "shopify-products.json": (
        "shopify_json",
        {
            "IPOD-PINK": (199.0, None, ("pink",), True, "ipod-nano", 2),
            "IPOD-RED": (189.0, None, ("red",), False, "ipod-nano", 2),
        },
        1,
        0,
    ),
    "woocommerce-de.csv": (
        "woocommerce",
        {
            "hemd": (None, None, ("red", "blue"), True, "hemd", 2),
            "hemd-rot": (39.9, None, ("red",), True, "hemd", 1),
            "hemd-blau": (49.9, None, ("blue",), False, "hemd", 1),
        },
        2,
        1,
    ),
    "woocommerce.csv": (
        "woocommerce",
        {
            "vneck": (None, None, ("red", "blue"), True, "vneck", 2),
            "vneck-red": (15.0, None, ("red",), True, "vneck", 1),
            "12": (20.0, None, ("blue",), True, "vneck", 2),
            "13": (18.0, None, (), False, "13", 1),
        },
        2,
        1,
    ),
    "magento.csv": (
        "magento",
        {
            "MH01": (52.0, None, ("black", "gray"), True, None, 2),
            "WB01": (10.0, None, ("blue",), False, None, 1),
        },
        3,
        0,
    ),
    "shopware.csv": (
        "shopware",
        {
            "TASSE": (9.99, None, (), True, "018f1c1e5c5a7b0d8a4d2b5a0c1d2e3f", 1),
            "TASSE.1": (9.99, None, (), False, "018f1c1e5c5a7b0d8a4d2b5a0c1d2e3f", 1),
        },
        1,
        0,
    ),
    "amazon.txt": (
        "amazon",
        {
            "TEE-R": (19.99, None, ("red",), True, "TEE", 1),
            "TEE-B": (21.99, None, ("blue",), False, "TEE", 1),
        },
        1,
        0,
    ),
    "prestashop.csv": ("prestashop", {"demo_1": (23.9, None, (), True, None, 2)}, 1, 1),
    "bigcommerce.csv": (
        "bigcommerce",
        {
            "SLCTBS": (49.0, None, ("beige",), True, None, 2),
            "79": (79.0, None, (), False, None, 1),
        },
        3,
        0,
    ),
    "bigcommerce-v3.csv": (
        "bigcommerce_v3",
        {
            "ABS": (199.0, None, (), False, "111", 2),
            "ABS-T": (199.0, None, ("green", "blue"), True, "111", 3),
            "ABS-R": (240.0, None, ("red",), False, "111", 2),
            "112": (200.0, None, (), True, "112", 1),
        },
        7,
        0,
    ),
    "google-rss.xml": (
        "google",
        {
            "DB-1": (99.99, "EUR", ("brown", "beige"), True, "DB", 3),
            "DB-2": (119.99, "EUR", ("black",), True, "DB", 1),
            "DB-4": (5.0, "EUR", (), False, None, 1),
        },
        0,
        1,
    ),
    "google-atom.xml": ("google", {"TV_1": (159.0, "USD", (), True, None, 1)}, 0, 0),
    "google.txt": (
        "google",
        {
            "A1": (40.0, "GBP", ("red",), True, "A", 1),
            "A2": (50.0, "GBP", ("blue",), True, "A", 1),
        },
        0,
        0,
    ),
    "meta.csv": (
        "meta",
        {
            "0": (8.0, "USD", ("blue",), True, "FB", 1),
            "1": (10.0, "USD", (), False, "FB", 1),
        },
        0,
        0,
    ),
    "awin.csv": (
        "awin",
        {
            "TR-1": (59.99, "GBP", ("gray",), True, "TR", 2),
            "TR-3": (19.5, "GBP", (), False, None, 1),
        },
        1,
        0,
    ),
    "etsy.csv": (
        "etsy",
        {
            "FERN-1": (16.0, "USD", ("green", "black"), True, None, 2),
            "Speckled Mug": (28.0, "USD", (), False, None, 1),
        },
        0,
        0,
    ),
    "wix.csv": (
        "wix",
        {
            "SC": (35.0, None, ("red", "blue"), True, "product_1", 2),
            "product_3": (12.0, None, (), False, "product_3", 1),
        },
        2,
        0,
    ),
    "yandex.yml": (
        "yandex",
        {
            "9012": (1490.0, "RUB", ("red",), True, "90", 2),
            "9013": (990.5, "RUB", (), False, None, 1),
        },
        0,
        1,
    ),
    "schema-org.json": (
        "schema_org",
        {
            "A1": (19.99, "EUR", ("red",), True, None, 2),
            "G1-S": (80.0, "EUR", ("green",), False, "G1", 1),
            "G1-M": (85.0, "EUR", (), True, "G1", 2),
            "A2": (5.0, "EUR", (), None, None, 1),
        },
        0,
        0,
    ),
    "medusa.json": (
        "medusa",
        {
            "SW-S": (29.5, "EUR", ("black",), True, "sweatshirt", 2),
            "SW-M": (30.5, "EUR", (), False, "sweatshirt", 2),
        },
        1,
        0,
    ),
    "medusa-v1.json": (
        "medusa_v1",
        {
            "SW-S": (33.61, "EUR", ("black",), True, "sweatshirt", 2),
            "SW-M": (33.62, "EUR", (), False, "sweatshirt", 2),
        },
        1,
        0,
    ),
    "ecommerce_products_clip.csv": (
        "ecommerce_products_clip",
        {"0": (1099.0, "INR", ("blue", "white"), None, None, 1)},
        0,
        0,
    ),
}


BESIDE = {"magento.csv": {"images": "https://shop.example.com/media/catalog/product"}}
"""What an export does not say, and without which its pictures are not found."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def previewed(file: str, settings: Settings, **choice: str) -> Preview:
    path = str(EXPORTS / file)
    return preview_catalogue(
        path, settings, choose_mapping(path, settings, MappingChoice(**choice)).mapping
    )


def products(preview: Preview) -> dict[str, Product]:
    return {row.product.id: row.product for row in preview.rows if row.product is not None}


@pytest.mark.parametrize("file", sorted(EXPECTED))
def test_an_export_goes_in_without_a_mapping(file: str, settings: Settings) -> None:
    mapping, expected, left_out, failed = EXPECTED[file]
    chosen = choose_mapping(str(EXPORTS / file), settings, MappingChoice())
    known = Mapping.load(mapping)
    assert (chosen.mapping.product, chosen.mapping.source) == (known.product, known.source)
    assert [*chosen.mapping.fields] == [*known.fields]
    assert chosen.note is not None
    assert mapping in chosen.note
    preview = previewed(file, settings, **BESIDE.get(file, {}))
    taken = {
        row.product.id: (
            row.product.price,
            row.product.currency,
            row.product.colors,
            row.product.in_stock,
            row.product.group_id,
            len(row.pictures),
        )
        for row in preview.rows
        if row.product is not None
    }
    assert taken == expected
    assert sum(preview.left_out.values()) == left_out
    assert preview.failed == failed
    assert not [row for row in preview.rows if row.product is not None and row.problems]


def test_what_shoppers_say_of_a_product_is_understood_of_every_export() -> None:
    said = {
        (name, field): column.understand
        for name in built_in_mappings()
        for field, column in Mapping.load(name).fields.items()
        if field in ("size", "material", "pattern")
    }
    assert len(said) > 30
    assert all(said.values())


def test_every_export_of_the_shop_systems_is_tested() -> None:
    tested = {mapping for mapping, *_ in EXPECTED.values()}
    assert tested == set(built_in_mappings()) - {"image_folder"}


def test_prices_before_a_reduction_texts_codes_and_categories_come_along(
    settings: Settings,
) -> None:
    shirt = products(previewed("shopify.csv", settings))["LS-S-N"]
    assert shirt.compare_at_price == 69.0
    assert shirt.description == "Light & airy."
    assert shirt.codes == ("4006381333931", "LS-S-N")
    assert shirt.category == ("Apparel & Accessories/Clothing/Shirts & Tops",)
    assert shirt.attributes["size"] == ("S",)
    assert shirt.attributes["tags"] == ("linen", "summer")
    scarf = products(previewed("wix.csv", settings))["SC"]
    assert scarf.category == ("Winter", "Sale")
    dress = products(previewed("yandex.yml", settings))["9012"]
    assert dress.category == ("Одежда/Платья",)
    assert dress.attributes["size"] == ("44",)
    assert dress.codes == ("4601546021298", "P-12")
    bench = products(previewed("google-rss.xml", settings))["DB-1"]
    assert bench.url == "https://shop.example.com/db-1"
    assert bench.codes == ("4006381333931", "DB1")


def test_what_an_export_does_not_say_is_given_beside_it(settings: Settings) -> None:
    base = BESIDE["magento.csv"]["images"]
    preview = previewed("magento.csv", settings, currency="USD", images=base)
    assert {product.currency for product in products(preview).values()} == {"USD"}
    assert preview.rows[0].pictures[0] == f"{base}/m/h/mh01-gray_main_1.jpg"


def test_variants_without_a_number_of_their_own_are_told_apart(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\n"
        "tee,Tee,Size,S,,5,https://example.com/a.jpg\n"
        "tee,,,M,,6,\n"
        "cap,Cap,Title,Default Title,,7,https://example.com/b.jpg\n"
    )
    chosen = choose_mapping(str(path), settings, MappingChoice())
    rows = preview_catalogue(str(path), settings, chosen.mapping).rows
    assert [row.product and (row.product.id, row.product.price) for row in rows] == [
        ("tee/S", 5.0),
        ("tee/M", 6.0),
        ("cap", 7.0),
    ]


def test_a_variant_with_a_price_of_its_own_takes_no_reduction_of_the_first(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Compare At Price,Image Src\n"
        "tee,Tee,Size,S,20,30,https://example.com/a.jpg\n"
        "tee,,,M,25,,\n"
        "tee,,,L,,,\n"
    )
    taken = preview_catalogue(str(path), settings, Mapping.load("shopify")).rows
    prices = [row.product and (row.product.price, row.product.compare_at_price) for row in taken]
    assert prices == [(20.0, 30.0), (25.0, None), (20.0, 30.0)]


def test_columns_named_as_the_fields_need_no_mapping(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,title,image,price,currency,brand\n1,Mug,a.png,5,EUR,Acme\n")
    chosen = choose_mapping(str(path), settings, MappingChoice())
    product = preview_catalogue(str(path), settings, chosen.mapping).rows[0].product
    assert product == Product("1", "Mug", price=5.0, currency="EUR", brand="Acme")


def test_columns_may_be_named_as_the_fields_in_any_case_and_ids_be_attributes(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "p.xml"
    path.write_text(
        '<shop><product id="1"><Title>Mug</Title><IMAGE>a.png</IMAGE><Price>5</Price></product>'
        '<product id="2"><Title>Cup</Title><IMAGE>b.png</IMAGE></product></shop>'
    )
    chosen = choose_mapping(str(path), settings, MappingChoice())
    rows = preview_catalogue(str(path), settings, chosen.mapping).rows
    assert [row.product for row in rows] == [Product("1", "Mug", price=5.0), Product("2", "Cup")]


_GERMAN_COLUMNS = "Typ,Artikelnummer,Name,Beschreibung,Regulärer Preis,Bilder"
_GERMAN = "Ein Becher für den Kaffee, der nicht umkippt und auch ohne Henkel gut liegt"
_ENGLISH = "A cup for the coffee that does not tip over and is good to hold with both hands"


@pytest.mark.parametrize(
    ("columns", "text", "said", "code"),
    [
        ("id,title,description,image", _GERMAN, None, "de"),
        ("id,title,description,image", _ENGLISH, None, None),
        ("id,title,description,image", _GERMAN, "en", "en"),
        (_GERMAN_COLUMNS, "Becher", None, "de"),
        (_GERMAN_COLUMNS, _ENGLISH, None, None),
        (_GERMAN_COLUMNS, _GERMAN, "nl", "nl"),
    ],
)
def test_the_language_is_what_is_said_else_that_of_the_texts_else_that_of_the_columns(
    tmp_path: Path, settings: Settings, columns: str, text: str, said: str | None, code: str | None
) -> None:
    names = columns.split(",")
    described = next(name for name in names if name in ("description", "Beschreibung"))
    cells = (f'"{text}"' if name == described else "x" for name in names)
    path = tmp_path / "p.csv"
    path.write_text(f"{columns}\n{','.join(cells)}\n")
    chosen = choose_mapping(str(path), settings, MappingChoice(language=said))
    assert chosen.mapping.language == code
    sizes = {"de": "Größe", "nl": "Maat"}
    if columns == _GERMAN_COLUMNS:
        assert chosen.mapping.fields["size"].label == sizes.get(code or "")
    assert (repr(code) in str(chosen.note)) == (said is None and code is not None)


def test_an_unknown_export_is_refused_with_its_columns_and_what_to_do(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "p.csv"
    path.write_text("Artikel,Bezeichnung\n1,Tasse\n")
    with pytest.raises(InvalidMapping, match=r"Artikel, Bezeichnung.*vitrine map"):
        choose_mapping(str(path), settings, MappingChoice())


def test_what_is_no_known_export_is_read_with_the_live_mapping_where_it_has_its_columns(
    tmp_path: Path, settings: Settings
) -> None:
    live = Mapping.from_dict({"product": {"id": "Nr", "title": "Bezeichnung", "images": "Bild"}})
    path = tmp_path / "p.csv"
    path.write_text("Nr;Bezeichnung;Bild\n1;Tasse;a.png\n")
    chosen = choose_mapping(str(path), settings, MappingChoice(), live=live)
    assert (chosen.mapping, chosen.note) == (live, "using the mapping of the live version")
    path.write_text("Nr;Bezeichnung\n1;Tasse\n")
    with pytest.raises(InvalidMapping, match="no export that is known"):
        choose_mapping(str(path), settings, MappingChoice(), live=live)


def test_of_two_exports_that_fit_the_closer_one_is_meant() -> None:
    google = ["id", "title", "image_link", "price", "link"]
    assert recognize(google) == Recognized("google")
    assert recognize([*google, "fb_product_category"]) == Recognized("meta")
    assert recognize(["id", "title"]) is None


@pytest.mark.parametrize(
    "header",
    [
        "ID,Typ,Artikelnummer,Name,Veröffentlicht,Beschreibung,Angebotspreis,Regulärer Preis,"
        "Bilder",
        "ID,Type,UGS,Nom,Publié,Description,Tarif promo,Tarif régulier,Images",
        "ID,Tipo,SKU,Nombre,Publicado,Descripción,Precio rebajado,Precio normal,Imágenes",
        "ID,Type,Artikelnummer,Naam,Gepubliceerd,Beschrijving,Actieprijs,Reguliere prijs,"
        "Afbeeldingen",
        "ID,Тип,Артикул,Имя,Опубликован,Описание,Цена распродажи,Базовая цена,Изображения",
        "ID,Tipo,SKU,Nome,Pubblicato,Descrizione,Prezzo in offerta,Prezzo di listino,Immagine",
        "ID,Tipo,SKU,Nome,Publicado,Descrição,Preço promocional,Preço,Imagens",
        "ID,Typ,SKU,Nazwa,Opublikowano,Opis,Cena promocyjna,Cena,Obrazki",
    ],
)
def test_woocommerce_writes_its_columns_in_the_language_of_its_admin(
    tmp_path: Path, header: str
) -> None:
    file = tmp_path / "wc-product-export.csv"
    rows = (
        "7,simple,MUG,Cup,1,Blue,4,5,https://x.example/a.jpg",
        "8,simple,D,Draft,0,,,5,https://x/b",
    )
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    settings = Settings(data_dir=tmp_path)
    chosen = choose_mapping(str(file), settings, MappingChoice(currency="EUR"))
    assert "woocommerce" in str(chosen.note)
    preview = preview_catalogue(str(file), settings, chosen.mapping)
    (row,) = preview.rows
    assert row.product is not None
    product = row.product
    assert (product.id, product.title, product.price, product.compare_at_price) == (
        *("MUG", "Cup"),
        *(4.0, 5.0),
    )
    assert (product.description, sum(preview.left_out.values())) == ("Blue", 1)


def test_a_feed_that_prefixes_every_name_is_googles(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(
        '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id>'
        "<g:title>Mug</g:title><g:image_link>https://x.example/a.jpg</g:image_link>"
        "<g:availability>in stock</g:availability></item></channel></rss>"
    )
    settings = Settings(data_dir=tmp_path)
    chosen = choose_mapping(str(file), settings, MappingChoice())
    preview = preview_catalogue(str(file), settings, chosen.mapping)
    assert [row.product.title for row in preview.rows if row.product] == ["Mug"]
