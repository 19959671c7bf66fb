"""What an answer says of filter values that no product has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitrine.fields import Mapping
from vitrine.filter_notes import unknown_values
from vitrine.filters import parse_filter
from vitrine.index import VectorIndex
from vitrine.index.faiss.versions import FaissVersions
from vitrine.products import Product, Record
from vitrine.settings import Settings

NAMES = ("id", "title", "image", "price", "brand", "category", "color", "group_id")
MAPPING = Mapping.from_dict({"product": {name: name for name in NAMES}})


@pytest.fixture
def index(tmp_path: Path) -> VectorIndex:
    index = FaissVersions(tmp_path / "index", Settings(data_dir=tmp_path)).create(
        model="m",
        fingerprint="f",
        dimension=2,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
    )
    products = [
        Product(id="1", title="a", brand="Ettrick", category=("Clothing/Dresses",), price=1.0),
        Product(id="2", title="b", brand="Juniper Lane", colors=("red",), color=("red",)),
    ]
    row = np.array([1.0, 0.0], np.float32)
    index.upsert([Record.of_picture(product, row, "0" * 64) for product in products])
    return index


@pytest.mark.parametrize(
    ("tree", "notes"),
    [
        ({"brand": "Etrick"}, ["no product has brand 'Etrick'; the nearest is 'Ettrick'"]),
        (
            {"brand": "JUNIPER  LANES"},
            ["no product has brand 'JUNIPER  LANES'; the nearest is 'Juniper Lane'"],
        ),
        ({"brand": "Zzz"}, ["no product has brand 'Zzz'"]),
        ({"group_id": "g9"}, ["no product has group_id 'g9'"]),
        (
            {"category": "Clothing > Dress"},
            ["no product has category 'Clothing > Dress'; the nearest is 'Clothing/Dresses'"],
        ),
        ({"brand": "ettrick", "price": {"gt": 5}}, []),
        ({"brand": ["ettrick", "Zzz"], "price": {"gt": 5}}, ["no product has brand 'Zzz'"]),
        ({"not": {"brand": "Zzz"}, "price": 9}, []),
        (
            {"or": [{"color": "blue"}, {"brand": "Etrick"}]},
            [
                "no product has color 'blue'",
                "no product has brand 'Etrick'; the nearest is 'Ettrick'",
            ],
        ),
        ({"id": "9"}, []),
    ],
)
def test_values_that_no_product_has_are_told_with_the_nearest(
    index: VectorIndex, tree: dict[str, Any], notes: list[str]
):
    told = unknown_values(parse_filter(tree, index.info.schema), index)
    assert [note.message for note in told] == notes


def test_a_note_names_field_value_and_nearest_for_programs(index: VectorIndex):
    (note,) = unknown_values(parse_filter({"brand": "Etrick"}, index.info.schema), index)
    told = (note.code, note.field, note.value, note.nearest)
    assert told == ("unknown_value", "brand", "Etrick", "Ettrick")


def test_no_more_than_a_few_values_are_told(index: VectorIndex):
    tree = {"brand": [f"Brand {n}" for n in range(40)]}
    assert len(unknown_values(parse_filter(tree, index.info.schema), index)) == 5
