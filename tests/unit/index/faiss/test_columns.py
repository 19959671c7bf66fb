"""Columns are the same however their products came to them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.fields import Mapping
from vitrine.fields.schema import Schema
from vitrine.index.faiss.columns import joined_keywords, ragged, words
from vitrine.index.faiss.columns.layout import layout
from vitrine.index.faiss.columns.stored import ColumnSpool, joined_arrays
from vitrine.index.faiss.segment import column_parts
from vitrine.products import Product
from vitrine.storage.array_file import ArrayInParts
from vitrine.words import Analyzer

MOST_ROWS = 4 * 8
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
    monkeypatch.setattr(words, "_AT_ONCE", 10)
    monkeypatch.setattr(joined_keywords, "_AT_ONCE", 5)
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
        built = [(name, kind.build(rows_left).arrays()) for name, kind in columns.items()]
        expected = {f"{name}/{part}": array for name, own in built for part, array in own.items()}
        for name, own in column_parts(parts, columns):
            for part, array in columns[name].concat(own).arrays().items():
                assert_same(array, expected[f"{name}/{part}"], (seed, name, part))
        for name, array in joined_arrays(column_parts(parts, columns), columns):
            assert_same(whole(array), expected[name], (seed, name))


def whole(array: NDArray[Any] | ArrayInParts) -> NDArray[Any]:
    """The array, and of one in parts that none of them is large."""
    if not isinstance(array, ArrayInParts):
        return array
    parts = list(array.parts)
    joined = np.concatenate([np.zeros(0, array.dtype), *parts])
    assert len(joined) == array.length
    # a term of many rows is not divided
    assert all(len(part) < 10 + MOST_ROWS for part in parts)
    return joined


def assert_same(array: NDArray[Any], expected: NDArray[Any], what: object) -> None:
    np.testing.assert_array_equal(array, expected, str(what))
    assert array.dtype == expected.dtype, what


def test_columns_of_batches_are_joined_in_a_file(tmp_path):
    columns = layout(SCHEMA, Analyzer("en"))
    rng = random.Random(2)
    products = [product(n, rng) for n in range(9)]
    with (tmp_path / "parts").open("w+b") as parts, (tmp_path / "all").open("w+b") as joined:
        spool = ColumnSpool(parts, columns)
        for batch in (products[:1], products[1:5], products[5:]):
            spool.add({name: kind.build(batch) for name, kind in columns.items()})
        for name, column in spool.joined(joined).items():
            expected = columns[name].build(products).arrays()
            for part, array in column.arrays().items():
                assert_same(array, expected[part], (name, part))


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
