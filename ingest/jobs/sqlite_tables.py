"""The tables of the job store in SQLite."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from vitrine.storage.sqlite import DatabaseSchema, SQLiteFile

__all__ = ["BUSY", "HELD", "job_database", "lease_clock"]

_FORMAT_2 = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    request TEXT, state TEXT NOT NULL, stage TEXT NOT NULL, cursor TEXT NOT NULL,
    done INTEGER NOT NULL, total INTEGER, failed_items INTEGER NOT NULL, version TEXT, error TEXT,
    waiting TEXT, waiting_since_s REAL,
    created_s REAL NOT NULL, started_s REAL, updated_s REAL NOT NULL);
CREATE INDEX jobs_state ON jobs (state, number);
CREATE INDEX jobs_updated ON jobs (updated_s);
CREATE TABLE items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL, queue TEXT NOT NULL,
    key TEXT NOT NULL, work TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    token TEXT, holder TEXT, busy_from REAL NOT NULL DEFAULT 0, busy_until REAL NOT NULL DEFAULT 0);
CREATE INDEX items_queue ON items (queue, seq);
CREATE INDEX items_key ON items (queue, key, seq);
CREATE INDEX items_job ON items (job_id);
CREATE INDEX items_holder ON items (holder) WHERE holder IS NOT NULL;
CREATE TABLE dead (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, work TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, at_s REAL NOT NULL);
CREATE INDEX dead_key ON dead (key);
CREATE TABLE changes (job_id TEXT PRIMARY KEY, barrier INTEGER NOT NULL);
CREATE TABLE dirty_keys (key TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE locks (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, busy_from REAL NOT NULL, busy_until REAL);
"""
"""An item is busy while busy_from <= clock < busy_until: held where it has a token, else waiting.

Both are of `lease_clock`. It starts anew with the machine, so a busy_from that lies ahead is from
before a restart, which no holder has survived.
"""


_ANEW = (
    "".join(
        f"DROP TABLE {name};\n" for name in ("jobs", "items", "dead", "journal", "marks", "locks")
    )
    + _FORMAT_2
)
"""From format 1: only finished jobs are dropped, and only where there is nothing else."""


_FORMAT_3 = """
ALTER TABLE jobs ADD COLUMN report TEXT;
CREATE TABLE schedules (
    name TEXT PRIMARY KEY, terms TEXT NOT NULL, due_s INTEGER NOT NULL, job_id TEXT,
    runs TEXT NOT NULL DEFAULT '[]');
"""

BUSY = "i.busy_from <= :now AND :now < i.busy_until"
HELD = f"i.token IS NOT NULL AND {BUSY}"
"""SQL conditions on an item `i` at the time `:now`: it cannot be claimed; a worker holds it."""


def lease_clock() -> float:
    """Seconds of the machine's monotonic clock, one for all its processes; never set by anybody."""
    return time.monotonic()


def job_database(path: Path) -> SQLiteFile:
    """The file, made where there is none; `StorageUnavailable` when it cannot be used.

    One of format 1 is made anew when no work is left in it, and refused otherwise.
    """
    file = SQLiteFile(
        path,
        DatabaseSchema(
            f"{_FORMAT_2}{_FORMAT_3}",
            version=3,
            migrations={**({1: _ANEW} if _is_idle(path) else {}), 2: _FORMAT_3},
        ),
        remedy="let a worker of the release that wrote it finish its jobs, then remove the file",
    )
    file.create()
    return file


def _is_idle(path: Path) -> bool:
    """Whether the file exists and holds no work, neither to be done nor given up."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            sql = "SELECT (SELECT count(*) FROM items) + (SELECT count(*) FROM dead)"
            return bool(db.execute(sql).fetchone()[0] == 0)
    except sqlite3.Error:
        return False
