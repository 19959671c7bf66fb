"""Further shapes of the known exports, a few rows each, in the columns that the system writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.catalogue import MappingChoice, choose_mapping, preview_catalogue
from vitrine.settings import Settings

PICTURE = "https://cdn.example.com/a.jpg"
_ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:n="http://base.google.com/ns/1.0"><entry>
<n:id>1</n:id><title>Mug</title><link href="https://shop.example/1"/>
<n:image_link>{PICTURE}</n:image_link><n:price>7 EUR</n:price></entry></feed>"""
_AWIN = f"""<cafProductFeed><datafeed><prod id="1" in_stock="yes"><brand><brandName>Acme</brandName>
</brand><price curr="EUR"><buynow>49.90</buynow></price><text><name>Dress</name>
<desc>Ein Kleid für den Sommer, nicht nur aus der Stadt und mit Taschen</desc></text>
<uri><mImage>{PICTURE}</mImage></uri><pId>m1</pId></prod></datafeed></cafProductFeed>"""
_GRAPHQL = {
    "title": "Tee",
    "vendor": "Acme",
    "productType": "Shirts",
    "images": {"edges": [{"node": {"url": PICTURE}}]},
    "variants": {"nodes": [{"sku": "S1", "price": {"amount": "10.0", "currencyCode": "EUR"}}]},
}
_REST = {
    "title": "Mug",
    "vendor": "Acme",
    "product_type": "Mugs",
    "images": [{"src": PICTURE}],
    "options": [{"name": "Color"}],
    "variants": [
        {"sku": "R1", "option1": "Default Title", "inventory_policy": "continue"},
        {"sku": "R2", "option1": "Blue", "inventory_policy": "deny", "inventory_quantity": 0},
    ],
}
_JSON_LD = [
    {"@type": "WebPage", "name": "Shop"},
    {
        "@type": ["Product", "IndividualProduct"],
        "sku": "1",
        "name": "Cup",
        "image": PICTURE,
        "offers": {"priceSpecification": {"price": 7, "priceCurrency": "EUR"}},
    },
]
_MEDUSA = {
    "id": "p",
    "title": "Tee",
    "handle": "tee",
    "thumbnail": PICTURE,
    "variants": [
        {"id": "v1", "manage_inventory": False, "inventory_quantity": 0},
        {"id": "v2", "manage_inventory": True, "inventory_quantity": 0},
    ],
}
_SIZE_FIRST = {
    **_REST,
    "options": [{"name": "Taille"}, {"name": "Couleur"}],
    "variants": [{"id": 1, "sku": "R1", "price": "5", "option1": "M", "option2": "Rouge"}],
}


def _shopify(policy: str, tracker: str, *quantities: str) -> str:
    """One product for each quantity, in the columns of since 2024."""
    columns = f"Option1 name,{policy},{tracker},Inventory quantity,Product image URL"
    rows = (f"{n},{n},T,1,,{q},{PICTURE}" for n, q in enumerate(quantities))
    return "\n".join((f"SKU,URL handle,Title,Price,{columns}", *rows))


SHAPES: list[tuple[str, str | bytes, str, dict[str, dict[str, Any]], int]] = [
    # file, its content, mapping, what its products have, how many rows are left out
    (
        "untracked.csv",
        _shopify(
            *("Continue selling when out of stock", "Inventory tracker"),
            *("DENY,,0", "DENY,shopify,0", "CONTINUE,shopify,-2", "DENY,shopify,3"),
        ),
        "shopify",
        {
            n: {"in_stock": stock}
            for n, stock in zip("0123", (True, False, True, True), strict=True)
        },
        0,
    ),
    (
        "zeros.csv",
        f"Handle,Title,Variant SKU,Variant Price,Image Src\na,A,'0012,5,{PICTURE}\n",
        "shopify",
        {"0012": {"codes": ("0012",)}},
        0,
    ),
    (
        "graphql.json",
        json.dumps({"data": {"products": {"edges": [{"node": _GRAPHQL}]}}}),
        "shopify_json",
        {"S1": {"title": "Tee", "price": 10.0, "currency": "EUR", "brand": "Acme"}},
        0,
    ),
    (
        "admin.json",
        json.dumps({"products": [_REST]}),
        "shopify_json",
        {"R1": {"color": (), "in_stock": True}, "R2": {"color": ("Blue",), "in_stock": False}},
        0,
    ),
    (
        "options.json",
        json.dumps({"products": [_SIZE_FIRST]}),
        "shopify_json",
        {"R1": {"color": ("Rouge",), "attributes": {"size": ("M",)}}},
        0,
    ),
    (
        "woo.csv",
        f"Type,SKU,Name,Description,Regular price,Images\nsimple,1,Mug,Soft\\nround,5,{PICTURE}\n",
        "woocommerce",
        {"1": {"description": "Soft\nround"}},
        0,
    ),
    (
        "list.csv",
        "Product ID;Image;Name;Reference;Category;Price (tax excl.);Price (tax incl.);Quantity\n"
        f"7;{PICTURE};Mug;R7;Home;10,00 €;12,00 €;0\n",
        "prestashop",
        {"R7": {"price": 12.0, "currency": "EUR", "category": ("Home",), "in_stock": False}},
        0,
    ),
    (
        "magento.csv",
        "sku,name,product_online,base_image,additional_images,configurable_variations\n"
        f'WJ1,Jacket,1,no_selection,{PICTURE},"sku=A,size=S,color=Red|sku=B,size=M,color=Blue"\n',
        "magento",
        {"WJ1": {"colors": ("red", "blue"), "attributes": {"size": ("S", "M")}}},
        0,
    ),
    (
        "list-fr.csv",
        "Product ID;Image;Nom;Référence;Catégorie;Prix (HT);Prix (TTC);Quantité;État\n"
        f"7;{PICTURE};Été;R7;Maison;10,00 €;12,00 €;3;0\n",
        "prestashop",
        {"R7": {"price": 12.0, "currency": "EUR", "category": ("Maison",), "in_stock": True}},
        0,
    ),
    (
        "fr.csv",
        "ID;Actif (0/1);Nom *;Catégories (x,y,z...);Prix TTC;Référence #;Marque;Quantité;"
        f"URL des images (x,y,z...)\n1;1;Été;A,B;9,90;R1;Acme;2;{PICTURE}\n2;0;x;;;;;;\n",
        "prestashop",
        {"R1": {"title": "Été", "price": 9.9, "category": ("A", "B"), "brand": "Acme"}},
        1,
    ),
    ("atom.xml", _ATOM, "google", {"1": {"price": 7.0, "url": "https://shop.example/1"}}, 0),
    ("awin.xml", _AWIN, "awin", {"m1": {"price": 49.9, "currency": "EUR", "brand": "Acme"}}, 0),
    (
        "meta.csv",
        "id,title,image_link,price,status,visibility,fb_product_category\n"
        f"1,A,{PICTURE},5 EUR,active,published,x\n2,B,{PICTURE},5 EUR,archived,published,x\n"
        f"3,C,{PICTURE},5 EUR,active,staging,x\n",
        "meta",
        {"1": {"title": "A"}},
        2,
    ),
    (
        "page.json",
        json.dumps({"@graph": _JSON_LD}),
        "schema_org",
        {"1": {"title": "Cup", "price": 7.0, "currency": "EUR"}},
        1,
    ),
    (
        "medusa.json",
        json.dumps({"products": [_MEDUSA]}),
        "medusa",
        {"v1": {"in_stock": True}, "v2": {"in_stock": False}},
        0,
    ),
    (
        "ja.csv",
        f"id,title,image_link,price\n1,赤いドレス,{PICTURE},8000円\n".encode("shift_jis"),
        "google",
        {"1": {"title": "赤いドレス", "price": 8000.0, "currency": "JPY"}},
        0,
    ),
    (
        "magento.csv",
        "sku,name,product_online,base_image,price,special_price,special_price_from_date,"
        f"special_price_to_date,created_at\n"
        f'1,Mug,1,{PICTURE},9,7,"1/1/20, 12:00 AM","2/1/20, 12:00 AM","9/21/22, 12:00 AM"\n',
        "magento",
        {"1": {"price": 9.0, "compare_at_price": None}},
        0,
    ),
    (
        "magento_variants.csv",
        "sku,name,product_online,visibility,base_image,price,special_price,configurable_variations\n"
        f"A-S,A,1,Not Visible Individually,{PICTURE},40.0000,,\n"
        f'A,A,1,"Catalog, Search",{PICTURE},,,"sku=A-S,size=S|sku=A-M,size=M|sku=A-L,size=L"\n'
        f"A-M,A,1,Not Visible Individually,{PICTURE},39.0000,29.0000,\n"
        f"A-L,A,2,Not Visible Individually,{PICTURE},5.0000,,\n"
        f'B,B,1,"Catalog, Search",{PICTURE},12.0000,,"sku=A-M,size=M"\n'
        f'C,C,1,"Catalog, Search",{PICTURE},,,"sku=none,size=M"\n',
        "magento",
        {
            "A": {"price": 29.0, "compare_at_price": None},
            "B": {"price": 12.0},
            "C": {"price": None},
        },
        3,
    ),
]


@pytest.mark.parametrize(
    ("file", "content", "mapping", "expected", "left_out"), SHAPES, ids=[s[0] for s in SHAPES]
)
def test_a_shape_of_an_export_goes_in_without_a_mapping(
    tmp_path: Path,
    file: str,
    content: str | bytes,
    mapping: str,
    expected: dict[str, dict[str, Any]],
    left_out: int,
) -> None:
    path, settings = tmp_path / file, Settings(data_dir=tmp_path / "data")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    chosen = choose_mapping(str(path), settings, MappingChoice())
    assert f"mapping {mapping}" in str(chosen.note)
    preview = preview_catalogue(str(path), settings, chosen.mapping)
    products = {row.product.id: row.product for row in preview.rows if row.product is not None}
    assert products.keys() == expected.keys()
    for number, fields in expected.items():
        assert {name: getattr(products[number], name) for name in fields} == fields
    assert [row.problems for row in preview.rows] == [()] * len(expected)
    assert [row.pictures for row in preview.rows] == [(PICTURE,)] * len(expected)
    assert sum(preview.left_out.values()) == left_out


def test_the_language_is_guessed_from_texts_within_objects(tmp_path: Path) -> None:
    path, settings = tmp_path / "awin.xml", Settings(data_dir=tmp_path / "data")
    path.write_text(_AWIN, "utf-8")
    assert choose_mapping(str(path), settings, MappingChoice()).mapping.language == "de"
