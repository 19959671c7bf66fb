"""Batches of records that one request can carry."""

from __future__ import annotations

import json

import numpy as np

from tests.contract.catalogue import make_catalogue
from vitrine.products import Product, Record, record_batches

QDRANT_REQUEST = 32 * 1024 * 1024
"""Bytes that Qdrant takes in a request over HTTP."""


def test_all_records_come_in_their_order_and_no_batch_holds_more_than_it_may():
    records = make_catalogue(10, seed=1)
    parts = list(record_batches(records, most=4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert [r.product.id for part in parts for r in part] == [r.product.id for r in records]
    assert list(record_batches([], most=4)) == []


def test_records_of_many_large_pictures_travel_in_requests_that_qdrant_takes():
    keys = tuple(f"{number:064x}" for number in range(8))
    rows = np.random.default_rng(2).normal(size=(9, 1152)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    records = [Record(Product(f"p{n}", "A lamp"), rows[:8], keys, rows[8]) for n in range(250)]
    as_json = len(json.dumps(rows.tolist()))
    parts = list(record_batches(iter(records), most=500))
    assert sum(len(part) for part in parts) == len(records)
    assert len(parts) < 5
    assert all(len(part) * as_json < QDRANT_REQUEST for part in parts)
