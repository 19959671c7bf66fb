"""Searches while the very products that they show are written again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.contract.catalogue import DIMENSION, make_catalogue
from tests.unit.index.faiss.conftest import Open, create
from vitrine.index import IndexQuery
from vitrine.index.faiss.columns.ragged import Strings
from vitrine.index.faiss.records.changes import RecordView
from vitrine.index.faiss.records.store import RecordStore
from vitrine.products import Product, Record


def test_a_page_ends_whole_however_often_its_products_are_written_again(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    versions = open_faiss()
    index, records, written = create(versions), make_catalogue(8, 4), 0

    def write_again() -> None:
        nonlocal written
        written += 1
        price = float(written)
        index.upsert([replace(r, product=replace(r.product, price=price)) for r in records])

    def after_a_write(read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(self: object, seqs: Sequence[int]) -> Any:
            write_again()
            return read(self, seqs)

        return reading

    write_again()
    for place in (RecordStore, RecordView):
        monkeypatch.setattr(place, "products_written", after_a_write(place.products_written))
    for query in (IndexQuery(limit=8), IndexQuery(vector=records[0].vector, limit=8)):
        known = written
        hits = index.search(query).hits
        assert len(hits) == len(records)
        (price,) = {hit.product.price for hit in hits}  # of one write, none before the question
        assert price is not None
        assert known <= price < written


def test_a_product_is_read_once_until_it_is_written_again(
    open_faiss: Open, monkeypatch: pytest.MonkeyPatch
):
    index, records, read = create(open_faiss()), make_catalogue(8, 4), list[int]()
    index.upsert(records)
    reading = RecordStore.products_written

    def counting(self: RecordStore, seqs: Sequence[int]) -> Any:
        read.append(len(seqs))
        return reading(self, seqs)

    monkeypatch.setattr(RecordStore, "products_written", counting)
    index.search(IndexQuery(vector=records[0].vector, limit=5))
    index.search(IndexQuery(vector=records[0].vector, limit=8))
    index.patch(records[0].product.id, {"title": "Mug"})
    hits = index.search(IndexQuery(vector=records[0].vector, limit=7)).hits
    assert read == [5, 3, 1]
    titles = {record.product.id: record.product.title for record in records}
    titles[records[0].product.id] = "Mug"
    assert all(hit.product.title == titles[hit.product.id] for hit in hits)
    assert "Mug" in [hit.product.title for hit in hits]


def test_ids_are_read_of_what_ties_only(open_faiss: Open, monkeypatch: pytest.MonkeyPatch):
    index, rng = create(open_faiss()), np.random.default_rng(5)
    rows = rng.standard_normal((60, 1, DIMENSION)).astype(np.float32)
    rows[31] = rows[7]
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    products = [Product(id=f"p{n:02}", title="Mug", price=float(n % 60)) for n in range(60)]
    records = [Record(p, own, ("0" * 64,)) for p, own in zip(products, rows, strict=True)]
    index.upsert(records[20:])
    index.search(IndexQuery())
    index.upsert(records[:20])  # so that there are two segments
    read: list[str] = []

    def reading(self: Strings, row: int) -> str:
        read.append(self.encoded(row).decode())
        return read[-1]

    monkeypatch.setattr(Strings, "__getitem__", reading)
    hits = index.search(IndexQuery(vector=rows[7, 0], limit=60)).hits
    scores = rows[:, 0].astype(np.float64) @ rows[7, 0].astype(np.float64)
    assert [hit.product.id for hit in hits[:2]] == ["p07", "p31"]
    assert sorted(hits, key=lambda hit: (-hit.score, hit.product.id)) == list(hits)
    assert [hit.product.id for hit in hits[2:]] == [
        f"p{n:02}" for n in np.argsort(-scores, kind="stable")[2:]
    ]
    assert sorted(read) == ["p07", "p31"]
