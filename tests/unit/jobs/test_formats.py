"""Job stores of earlier releases are refused in words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from ingest.jobs.factory import open_store
from ingest.jobs.models import Job, Kind
from ingest.jobs.work import (
    RemotePicture,
    StoredPicture,
    UpsertProduct,
    picture_keys,
    work_from_json,
)
from vitrine.errors import StorageUnavailable
from vitrine.index.product_json import product_to_json
from vitrine.products import Product
from vitrine.settings import Settings

FORMAT_1 = """
CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT, state TEXT);
CREATE INDEX jobs_state ON jobs (state);
CREATE TABLE items (seq INTEGER PRIMARY KEY, job_id TEXT, lane TEXT, key TEXT, body TEXT);
CREATE TABLE dead (seq INTEGER PRIMARY KEY, key TEXT, body TEXT);
CREATE TABLE journal (job_id TEXT);
CREATE TABLE marks (key TEXT);
CREATE TABLE locks (name TEXT);
INSERT INTO jobs VALUES (1, 'a', 'done');
"""


def file_of_format_1(folder: Path, rest: str = "") -> Path:
    file = folder / "jobs" / "jobs.db"
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as db:
        db.executescript(FORMAT_1 + rest)
    return file


@pytest.mark.parametrize(
    "work",
    [
        "INSERT INTO items VALUES (1, 'a', 'writes', 'p', '{}');",
        "INSERT INTO dead VALUES (1, 'p', '{}');",
    ],
)
def test_work_of_an_earlier_release_is_refused_in_words_and_left_as_it_is(
    tmp_path: Path, work: str
):
    file = file_of_format_1(tmp_path, work)
    with pytest.raises(
        StorageUnavailable,
        match=r"jobs\.db was written by a release whose format 1 is no longer read; let a worker",
    ):
        open_store(Settings(data_dir=tmp_path)).jobs(limit=1)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT id FROM jobs").fetchall() == [("a",)]


def test_a_file_of_an_earlier_release_without_work_is_made_anew(tmp_path: Path):
    file_of_format_1(tmp_path)
    for _ in range(2):
        store = open_store(Settings(data_dir=tmp_path))
        known = [job.id for job in store.jobs(limit=9)]
        store.add(Job(f"job-{len(known)}", Kind.DELETE, total=1), [])
        store.close()
    assert known == ["job-0"]


@pytest.mark.parametrize(
    ("named", "pictures"),
    [
        ({"key": "f" * 64}, (StoredPicture("f" * 64),)),
        (
            {"url": "https://shop.example/a.jpg"},
            (RemotePicture("https://shop.example/a.jpg"),),
        ),
        ({}, ()),
    ],
)
def test_writes_of_a_release_with_one_picture_are_still_done(
    named: dict[str, str], pictures: tuple[object, ...]
):
    product = orjson.loads(product_to_json(Product("a", "Mug")))
    stored = orjson.dumps({"do": "upsert", "product": product, **named}).decode()
    assert work_from_json(stored) == UpsertProduct(Product("a", "Mug"), pictures)
    assert picture_keys([stored]) == ({named["key"]} if "key" in named else set())
