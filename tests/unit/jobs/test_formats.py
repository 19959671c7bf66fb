"""Job stores of earlier releases are refused in words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.jobs.factory import open_store
from vitrine.errors import StorageUnavailable
from vitrine.settings import Settings


def test_a_file_of_an_earlier_release_is_refused_and_left_as_it_is(tmp_path: Path):
    file = tmp_path / "jobs" / "jobs.db"
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE jobs (id TEXT)")
        db.execute("INSERT INTO jobs VALUES ('a')")
        db.commit()
    with pytest.raises(
        StorageUnavailable,
        match=r"jobs\.db was written by a release whose format 1 is no longer read; let a worker",
    ):
        open_store(Settings(data_dir=tmp_path)).jobs(limit=1)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT id FROM jobs").fetchall() == [("a",)]
