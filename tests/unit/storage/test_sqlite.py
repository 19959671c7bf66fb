"""One wrapper around SQLite: schema versions, transactions, watching commits, errors in words."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from vitrine.errors import IndexUnavailable, StorageUnavailable
from vitrine.storage.sqlite import DatabaseSchema, SQLiteFile

TABLES = """
CREATE TABLE items (
    name TEXT PRIMARY KEY);
INSERT INTO items VALUES ('first');
"""
SCHEMA = DatabaseSchema(TABLES)
LATER = DatabaseSchema(
    "CREATE TABLE items (name TEXT PRIMARY KEY, size INTEGER);",
    version=3,
    migrations={
        1: "ALTER TABLE items ADD COLUMN size INTEGER;",
        2: "UPDATE items SET size = 7;\nINSERT INTO items VALUES ('second', 8);",
    },
)


class DiskUsage(NamedTuple):
    """As `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


def make(path: Path, schema: DatabaseSchema = SCHEMA, **settings: object) -> SQLiteFile:
    file = SQLiteFile(path / "file.sqlite", schema, **settings)
    file.create()
    return file


def names(file: SQLiteFile) -> list[str]:
    with file.reading() as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM items ORDER BY name")]


def insert(file: SQLiteFile, items: Iterable[str]) -> None:
    with file.writing() as connection:
        for item in items:
            connection.execute("INSERT INTO items VALUES (?)", (item,))


def interrupted() -> Iterator[str]:
    yield "x"
    raise ZeroDivisionError


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_file_has_its_tables_and_its_version_and_is_made_once(tmp_path: Path):
    with closing(make(tmp_path / "a" / "b", LATER)) as file:
        assert user_version(file.path) == 3
        with file.writing() as connection:
            connection.execute("INSERT INTO items VALUES ('x', 1)")
        file.create()
        assert names(file) == ["x"]


def test_many_who_create_the_file_at_once_make_it_once(tmp_path: Path):
    program = """
import sys
from pathlib import Path
from typing import NamedTuple
from tests.unit.storage.test_sqlite import make, names

file = make(Path(sys.argv[1]))
print(*names(file))
file.close()
"""
    root = Path(__file__).parents[3]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=root
        )
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0].split() for process in running] == [[b"first"]] * 4


def test_a_file_without_a_version_is_of_version_1_and_opens_as_before(tmp_path: Path):
    path = tmp_path / "file.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
    with closing(SQLiteFile(path, SCHEMA)) as file:
        assert names(file) == ["first"]
    with closing(SQLiteFile(path, LATER)) as file:
        assert names(file) == ["first", "second"]
    assert user_version(path) == 3
    with closing(SQLiteFile(path, LATER)) as file:  # migrated once
        assert names(file) == ["first", "second"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path):
    make(tmp_path).close()
    broken = DatabaseSchema(
        "",
        version=3,
        migrations={1: "INSERT INTO items VALUES ('x');", 2: "UPDATE nothing SET a = 1;"},
    )
    with (
        closing(SQLiteFile(tmp_path / "file.sqlite", broken)) as file,
        pytest.raises(StorageUnavailable, match="nothing"),
    ):
        names(file)
    with closing(SQLiteFile(tmp_path / "file.sqlite", SCHEMA)) as file:
        assert names(file) == ["first"]


def test_a_file_of_a_newer_release_is_refused_in_words(tmp_path: Path):
    make(tmp_path, LATER).close()
    file = SQLiteFile(tmp_path / "file.sqlite", SCHEMA, remedy="ingest again")
    with pytest.raises(StorageUnavailable) as refusal:
        names(file)
    assert str(refusal.value) == (
        f"{tmp_path / 'file.sqlite'} was written by a newer release (format 3; this release knows"
        " formats up to 1); ingest again"
    )


def test_a_file_whose_format_is_no_longer_read_is_refused_in_words(tmp_path: Path):
    make(tmp_path).close()
    newer = DatabaseSchema("", version=3, migrations={2: ""})
    file = SQLiteFile(tmp_path / "file.sqlite", newer)
    with pytest.raises(StorageUnavailable, match="format 1 is no longer read"):
        names(file)


def test_a_transaction_counts_whole_or_not_at_all(tmp_path: Path):
    with closing(make(tmp_path)) as file:
        with pytest.raises(ZeroDivisionError):
            insert(file, interrupted())
        with pytest.raises(StorageUnavailable, match="UNIQUE"):
            insert(file, ["x", "first"])
        assert names(file) == ["first"]
        insert(file, ["x"])
        assert names(file) == ["first", "x"]


def test_a_reader_sees_one_state_while_others_write(tmp_path: Path):
    with closing(make(tmp_path)) as file, file.reading() as connection:
        count = "SELECT count(*) FROM items"
        assert connection.execute(count).fetchone()[0] == 1
        with file.writing() as other:
            other.execute("INSERT INTO items VALUES ('x')")
        assert connection.execute(count).fetchone()[0] == 1
        assert names(file) == ["first", "x"]


def test_every_commit_of_this_or_another_process_moves_the_data_version(tmp_path: Path):
    with closing(make(tmp_path)) as file:
        seen = [file.data_version()]
        assert file.data_version() == seen[0]
        with file.writing() as connection:
            connection.execute("INSERT INTO items VALUES ('x')")
        seen.append(file.data_version())
        with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
            other.execute("DELETE FROM items")
        seen.append(file.data_version())
        assert len(set(seen)) == 3
        assert file.data_version() == seen[-1]


def test_threads_share_the_connections_and_none_is_left_open(tmp_path: Path):
    with closing(make(tmp_path)) as file:

        def write(number: int) -> None:
            with file.writing() as connection:
                connection.execute("INSERT INTO items VALUES (?)", (f"x{number:02d}",))

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(40)))
        assert names(file) == ["first", *(f"x{number:02d}" for number in range(40))]
        handles = Path("/proc/self/fd").iterdir()
        opened = sum(os.path.realpath(handle) == str(file.path) for handle in handles)
        assert 1 <= opened <= 5


def test_a_forked_process_uses_connections_of_its_own(tmp_path: Path):
    with closing(make(tmp_path)) as file:
        before = file.data_version()
        names(file)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with file.writing() as connection:
                    connection.execute("INSERT INTO items VALUES ('of the child')")
                status = 0 if file.data_version()[0] != before[0] else 2
                file.close()
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert names(file) == ["first", "of the child"]
        assert file.data_version() != before


def test_a_file_that_is_gone_or_damaged_or_closed_is_told_with_its_remedy(tmp_path: Path):
    settings = {"unavailable": IndexUnavailable, "remedy": "ingest again"}
    with closing(SQLiteFile(tmp_path / "none.sqlite", SCHEMA, **settings)) as file:
        for use in (lambda: names(file), file.data_version):
            with pytest.raises(IndexUnavailable, match=r"none\.sqlite is gone; ingest again"):
                use()
    (tmp_path / "bad.sqlite").write_bytes(b"no database, but as long as one" * 200)
    damaged = SQLiteFile(tmp_path / "bad.sqlite", SCHEMA, **settings)
    with pytest.raises(IndexUnavailable, match=r"bad\.sqlite is damaged; ingest again"):
        names(damaged)
    file = make(tmp_path)
    file.close()
    file.close()
    with pytest.raises(StorageUnavailable, match="has been closed"):
        names(file)


def test_who_waits_for_another_writer_is_told_after_the_timeout(tmp_path: Path):
    with closing(make(tmp_path, timeout_s=0.1)) as file:
        with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with (
                pytest.raises(StorageUnavailable, match="locked by another writer"),
                file.writing(),
            ):
                pass
        refusals: list[str] = []

        def write() -> None:
            try:
                with file.writing():
                    pass
            except StorageUnavailable as error:
                refusals.append(str(error))

        with file.writing():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        assert refusals == [f"{file.path} has been busy with another write for 0.1 s; try again"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        make(tmp_path / "file")


@pytest.mark.parametrize(("free", "words"), [(0, "is full; make room"), (1, "disk I/O error")])
def test_a_read_that_a_full_disk_prevents_says_that_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, words: str
):
    file = make(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(100, 100 - free, free))
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))  # so that no shared memory can be made
    try:
        with pytest.raises(StorageUnavailable, match=words), file.reading():
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
