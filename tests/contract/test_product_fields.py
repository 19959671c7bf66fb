"""Every built-in field of a product is kept, found and counted, on each backend alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.contract.backends import BACKENDS
from vitrine.fields import BUILT_IN_FIELDS, Field, Schema
from vitrine.filters import parse_parameters
from vitrine.index import IndexQuery
from vitrine.products import Product, Record

SCHEMA = Schema(tuple(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()))


def product(number: int) -> Product:
    return Product(
        id=str(number),
        title=f"Mug {number}",
        price=4.0 + number,
        compare_at_price=5.0 + number,
        currency="EUR",
        url=f"https://shop.example.com/{number}",
        color=("Red",),
        colors=("red",),
        category=("Home/Kitchen",),
        description="A mug.",
        brand="Acme",
        in_stock=True,
        group_id="g",
        codes=(f"400638133393{number}", f"MUG-{number}"),
    )


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_every_field_of_a_product_is_kept_and_can_be_asked_for(
    backend: str, tmp_path: Path
) -> None:
    versions = BACKENDS[backend](tmp_path)
    index = versions.create(
        model="m", fingerprint="f", dimension=2, schema=SCHEMA, mapping={"product": {}}
    )
    vectors = np.asarray([[1.0, 0.0]], np.float32)
    products = [product(number) for number in range(3)]
    index.upsert([Record(p, vectors, ("0" * 64,)) for p in products])
    assert {p.id: record.product for p in products for record in index.get([p.id]).values()} == {
        p.id: p for p in products
    }
    for parameter, value, ids in (
        ("codes", "MUG-1", {"1"}),
        ("codes", "4006381333932", {"2"}),
        ("compare_at_price_min", "6", {"1", "2"}),
    ):
        condition = parse_parameters([(parameter, value)], SCHEMA)
        result = index.search(IndexQuery(filter=condition, limit=10))
        assert {hit.product.id for hit in result.hits} == ids, (parameter, value)


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_a_patched_color_is_sorted_by_the_catalogues_own_words(
    backend: str, tmp_path: Path
) -> None:
    index = BACKENDS[backend](tmp_path).create(
        model="m",
        fingerprint="f",
        dimension=2,
        schema=SCHEMA,
        mapping={"product": {}, "colors": {"blushing": "pink"}},
    )
    vector = np.asarray([[1.0, 0.0]], np.float32)
    index.upsert([Record(product(0), vector, ("0" * 64,))])
    index.patch("0", {"color": ("Blushing",)})
    assert index.get(["0"])["0"].product.colors == ("pink",)
    condition = parse_parameters([("color", "pink")], SCHEMA)
    assert index.search(IndexQuery(filter=condition, limit=10)).total == 1
