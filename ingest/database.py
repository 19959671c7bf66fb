"""The SQLite file in which ingest keeps its failures and how far its runs have come."""

from __future__ import annotations

from pathlib import Path

from vitrine.storage.sqlite import DatabaseSchema, SQLiteFile

__all__ = ["ingest_database"]

_ADDRESSES = """
CREATE TABLE addresses (
    url TEXT PRIMARY KEY, image_key TEXT NOT NULL, etag TEXT, last_modified TEXT) WITHOUT ROWID;
"""
_LEDGER = """
ALTER TABLE failures ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE TABLE warnings (
    source TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, id TEXT NOT NULL,
    place TEXT NOT NULL, count INTEGER NOT NULL, at TEXT NOT NULL, run INTEGER,
    PRIMARY KEY (source, reason, message)) WITHOUT ROWID;
"""
_TABLES = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, version TEXT NOT NULL,
    started TEXT NOT NULL);
CREATE TABLE unfinished (
    version TEXT PRIMARY KEY, source TEXT NOT NULL, mapping TEXT NOT NULL,
    fingerprint TEXT NOT NULL);
CREATE TABLE seen (
    scope TEXT NOT NULL, id TEXT NOT NULL, run INTEGER NOT NULL, row INTEGER NOT NULL, digest TEXT,
    PRIMARY KEY (scope, id)) WITHOUT ROWID;
CREATE TABLE failures (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, row INTEGER, id TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, at TEXT NOT NULL, run INTEGER,
    UNIQUE (source, row, id));
CREATE INDEX failures_id ON failures (id);
"""


def ingest_database(data_dir: Path) -> SQLiteFile:
    """The file below the data folder, made where there is none.

    `StorageUnavailable` if it cannot be. A run that is repeated after a power cut finds everything
    again, so no commit waits for the disk.
    """
    file = SQLiteFile(
        data_dir / "ingest.sqlite",
        DatabaseSchema(
            f"{_TABLES}{_ADDRESSES}{_LEDGER}", version=3, migrations={1: _ADDRESSES, 2: _LEDGER}
        ),
        remedy="remove it: the ledger is then empty and the next ingest reads every row again",
        synchronous="NORMAL",
    )
    file.create()
    return file
