"""The SQLite file in which ingest keeps its failures and how far its runs have come."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import StorageUnavailable

__all__ = ["IngestDatabase"]

_BUSY_S = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, version TEXT NOT NULL, started TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unfinished (
    version TEXT PRIMARY KEY, source TEXT NOT NULL, mapping TEXT NOT NULL, fingerprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    scope TEXT NOT NULL, id TEXT NOT NULL, run INTEGER NOT NULL, row INTEGER NOT NULL, digest TEXT, PRIMARY KEY (scope, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, row INTEGER, id TEXT NOT NULL, stage TEXT NOT NULL,
    reason TEXT NOT NULL, message TEXT NOT NULL, at TEXT NOT NULL, run INTEGER, UNIQUE (source, row, id));
CREATE INDEX IF NOT EXISTS failures_id ON failures (id);
"""


class IngestDatabase:
    """One connection for all threads of a process; several processes may have the file open (WAL)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A writing transaction; rolled back when an error leaves it. `StorageUnavailable` when the file cannot be written."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def _unavailable(self, error: Exception) -> StorageUnavailable:
        return StorageUnavailable(
            f"{self._path}, which keeps the state of ingest, cannot be used: {error}"
        )
