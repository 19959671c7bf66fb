"""Damage in the data folder is found and named with its remedy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vitrine.damage import damaged_databases, damaged_pictures
from vitrine.images.store import FileSystemStore


def database(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table t (x)")
        made.executemany("insert into t values (?)", [("y" * 500,) for _ in range(500)])
        made.commit()
    return path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:8392] = bytes(byte ^ 0xFF for byte in data[8192:8392])  # the head of a page
    path.write_bytes(data)


def test_sound_databases_are_no_matter(tmp_path: Path):
    database(tmp_path / "ingest.sqlite")
    assert list(damaged_databases(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("jobs/jobs.db", "from a backup"),
        ("jobs/jobs-queue.db", "remove it"),
        ("ingest.sqlite", "remove it"),
        ("index/v1/records.sqlite", "vitrine reindex"),
    ],
)
@pytest.mark.parametrize("damage", ["noise", "flipped", "folder"])
def test_each_kind_of_damage_is_named_with_its_remedy(tmp_path, name, remedy, damage):
    path = database(tmp_path / name)
    if damage == "noise":
        path.write_bytes(b"noise" * 2000)
    elif damage == "flipped":
        flip(path)
    else:
        path.unlink()
        path.mkdir()
    (sentence,) = damaged_databases(tmp_path)
    assert sentence.startswith(f"{path} is damaged")
    assert remedy in sentence


def test_pictures_that_are_missing_or_exchanged_are_named(tmp_path: Path):
    store = FileSystemStore(str(tmp_path))
    sound, exchanged = store.put(b"one"), store.put(b"two")
    (tmp_path / exchanged[:2] / exchanged).write_bytes(b"three")
    *faults, remedy = damaged_pictures(store, [sound, exchanged, "0" * 64])
    assert len(faults) == 2
    assert any(exchanged in sentence for sentence in faults)
    assert remedy.startswith("2 of 3 pictures")
