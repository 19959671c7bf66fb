"""Columns are the same however their products came to them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np

from vitrine.fields import Mapping
from vitrine.fields.schema import Schema
from vitrine.index.faiss.columns import ragged
from vitrine.index.faiss.columns.layout import layout
from vitrine.index.faiss.segment import merged_columns
from vitrine.products import Product
from vitrine.words import Analyzer

WORDS = ("red", "mug", "Ä", "z", "été", "handle", "10")
NAMES = ("id", "title", "image", "price", "color", "category", "brand", "in_stock", "description")
SCHEMA: Schema = Mapping.from_dict(
    {
        "product": {name: name for name in NAMES},
        "fields": {"made": {"from": "made", "type": "datetime"}},
    }
).schema()


def product(number: int, rng: random.Random) -> Product:
    def some(most: int) -> tuple[str, ...]:
        return tuple(rng.choice(WORDS) for _ in range(rng.randint(0, most)))

    made = {"made": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)}
    return Product(
        f"p{rng.randrange(10**6)}-{number}",
        " ".join((rng.choice(WORDS), *some(3))),
        price=rng.choice((None, 9.5, 20.0)),
        currency="EUR",
        category=tuple(f"Shop/{word}" for word in some(2)),
        brand=rng.choice((None, *WORDS)),
        description=rng.choice((None, " ".join(some(9)))),
        in_stock=rng.choice((None, True, False)),
        attributes=made if rng.random() < 0.5 else {},
    )


def test_columns_of_parts_are_those_of_all_rows_at_once(monkeypatch):
    monkeypatch.setattr(ragged, "_CHUNK", 7)
    monkeypatch.setattr(ragged, "_TEXTS", 3)
    columns = layout(SCHEMA, Analyzer("en"))
    for seed in range(20):
        rng = random.Random(seed)
        parts, rows_left = [], []
        for _ in range(rng.randint(1, 4)):
            products = [product(n, rng) for n in range(rng.randint(1, 9))]
            rows = np.flatnonzero([rng.random() < 0.7 for _ in products])
            built = {name: kind.build(products) for name, kind in columns.items()}
            parts.append((built, None if len(rows) == len(products) else rows))
            rows_left += [products[row] for row in rows]
        if not rows_left:
            continue
        for name, column in merged_columns(parts, columns):
            expected = columns[name].build(rows_left).arrays()
            for part, array in column.arrays().items():
                np.testing.assert_array_equal(array, expected[part], f"{seed=} {name=} {part=}")
                assert array.dtype == expected[part].dtype, (seed, name, part)


def test_rows_of_each_code_are_found_in_parts(monkeypatch):
    monkeypatch.setattr(ragged, "_CHUNK", 5)
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 4, 50)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    codes = rng.integers(0, 6, offsets[-1]).astype(np.int32)
    owners = np.repeat(np.arange(50), lengths)
    starts, rows = ragged.inverted(offsets, codes, size=8)
    for code in range(8):
        assert rows[starts[code] : starts[code + 1]].tolist() == owners[codes == code].tolist()
