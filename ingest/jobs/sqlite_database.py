"""The SQLite file of the job store: its tables, and transactions over a few kept connections."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import StorageUnavailable

__all__ = ["Database"]

_BUSY_S = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, request TEXT NOT NULL,
    state TEXT NOT NULL, stage TEXT NOT NULL, cursor TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER, failed_items INTEGER NOT NULL,
    version TEXT, error TEXT, created_s REAL NOT NULL, started_s REAL, updated_s REAL NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state);
CREATE TABLE IF NOT EXISTS items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL, lane TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0, token TEXT, until REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS items_lane ON items (lane, seq);
CREATE INDEX IF NOT EXISTS items_key ON items (lane, key, seq);
CREATE INDEX IF NOT EXISTS items_job ON items (job_id);
CREATE TABLE IF NOT EXISTS dead (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, body TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, at_s REAL NOT NULL);
CREATE INDEX IF NOT EXISTS dead_key ON dead (key);
CREATE TABLE IF NOT EXISTS journal (job_id TEXT PRIMARY KEY, closed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS marks (key TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS locks (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL);
"""


class Database:
    """Connections to one file in WAL mode; what was committed is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"the job store cannot make its folder {path.parent}: {error.strerror}"
            ) from error
        with self._connection() as db:
            db.executescript(_TABLES)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that excludes other writers; rolled back when an error leaves it."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view for reading."""
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    def close(self) -> None:
        """Close what is idle; may be called twice."""
        with self._lock:
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._take()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        sound = False
        try:
            yield db
            sound = True
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        except BaseException:
            sound = not db.in_transaction
            raise
        finally:
            self._give_back(db, sound)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        db = sqlite3.connect(
            self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        return db

    def _give_back(self, db: sqlite3.Connection, sound: bool) -> None:
        if not sound:
            db.close()
            return
        with self._lock:
            self._idle.append(db)

    def _unavailable(self, error: sqlite3.Error) -> StorageUnavailable:
        return StorageUnavailable(f"the job store {self._path} cannot answer now: {error}")
