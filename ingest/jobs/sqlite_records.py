"""Jobs in SQLite."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from ingest.jobs.locks import lock_conflict
from ingest.jobs.models import Job, JobState, Kind, NewItem
from ingest.jobs.sqlite_database import Database
from ingest.jobs.store import CATALOGUE
from vitrine.errors import NotFound

__all__ = ["FINAL", "SqliteRecords", "end_job", "has_ended", "insert_items", "insert_job"]

FINAL = tuple(state.value for state in JobState if state.final)
_OPEN = tuple(state.value for state in JobState if not state.final)
_COLUMNS = (
    "id, kind, request, state, stage, cursor, done, total, failed_items, version, error,"
    " created_s, started_s, updated_s"
)
"""As in `Job`."""


class SqliteRecords:
    """The part of the store that keeps jobs."""

    _database: Database

    def add(self, job: Job, items: Sequence[NewItem]) -> None:
        now = time.time()
        with self._database.write() as db:
            if job.kind is Kind.REINDEX:
                _take_catalogue(db, job.id, now)
            insert_job(db, job, now)
            insert_items(db, job.id, items)

    def job(self, job_id: str) -> Job:
        with self._database.read() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no job {job_id!r}")
        return _job(row)

    def jobs(self, *, limit: int) -> list[Job]:
        with self._database.read() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM jobs ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return [_job(row) for row in rows]

    def active(self) -> list[Job]:
        marks = ", ".join("?" * len(_OPEN))
        with self._database.read() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE state IN ({marks}) ORDER BY number", _OPEN
            ).fetchall()
        return [_job(row) for row in rows]

    def enter(self, job_id: str, state: JobState) -> bool:
        return self._set(job_id, {"state": state.value})

    def describe(self, job_id: str, *, total: int | None, version: str | None) -> bool:
        return self._set(job_id, {"total": total, "version": version})

    def extend(self, job_id: str, items: Sequence[NewItem], *, cursor: str) -> bool:
        with self._database.write() as db:
            if has_ended(db, job_id):
                return False
            insert_items(db, job_id, items)
            db.execute("UPDATE jobs SET cursor = ? WHERE id = ?", (cursor, job_id))
        return True

    def advance(self, job_id: str, *, stage: str, to: str, items: Sequence[NewItem]) -> bool:
        with self._database.write() as db:
            row = db.execute("SELECT stage FROM jobs WHERE id = ?", (job_id,)).fetchone()
            busy = db.execute("SELECT 1 FROM items WHERE job_id = ? LIMIT 1", (job_id,)).fetchone()
            if row is None or row["stage"] != stage or busy or has_ended(db, job_id):
                return False
            db.execute("UPDATE jobs SET stage = ? WHERE id = ?", (to, job_id))
            insert_items(db, job_id, items)
        return True

    def end(self, job_id: str, state: JobState, *, error: str | None = None) -> bool:
        with self._database.write() as db:
            return end_job(db, job_id, state, error)

    def prune_jobs(self, *, keep: int) -> None:
        marks = ", ".join("?" * len(FINAL))
        with self._database.write() as db:
            oldest = f"SELECT number FROM jobs WHERE state IN ({marks}) ORDER BY number DESC LIMIT -1 OFFSET ?"
            db.execute(f"DELETE FROM jobs WHERE number IN ({oldest})", (*FINAL, keep))

    def _set(self, job_id: str, changes: Mapping[str, object]) -> bool:
        with self._database.write() as db:
            if has_ended(db, job_id):
                return False
            columns = ", ".join(f"{name} = ?" for name in changes)
            db.execute(
                f"UPDATE jobs SET {columns}, updated_s = ? WHERE id = ?",
                (*changes.values(), time.time(), job_id),
            )
        return True


def _take_catalogue(db: sqlite3.Connection, job_id: str, now: float) -> None:
    held = db.execute(
        "SELECT owner FROM locks WHERE name = ? AND (until IS NULL OR until > ?)", (CATALOGUE, now)
    ).fetchone()
    if held is not None:
        is_job = db.execute("SELECT 1 FROM jobs WHERE id = ?", (held["owner"],)).fetchone()
        raise lock_conflict(held["owner"], is_job=bool(is_job))
    db.execute(
        "INSERT OR REPLACE INTO locks (name, owner, until) VALUES (?, ?, NULL)", (CATALOGUE, job_id)
    )
    db.execute("DELETE FROM marks")
    db.execute("INSERT INTO journal (job_id, closed) VALUES (?, 0)", (job_id,))


def insert_job(db: sqlite3.Connection, job: Job, now: float) -> None:
    """Write a job that was not there."""
    values = (
        job.id,
        job.kind,
        json.dumps(dict(job.request)),
        job.state,
        job.stage,
        job.cursor,
        job.done,
        job.total,
        job.failed_items,
    )
    row = (*values, job.version, job.error, now, None, now)
    db.execute(f"INSERT INTO jobs ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)


def insert_items(db: sqlite3.Connection, job_id: str, items: Iterable[NewItem]) -> None:
    """Queue items behind all that are there."""
    rows = [(job_id, item.queue, item.key, json.dumps(dict(item.body))) for item in items]
    db.executemany("INSERT INTO items (job_id, lane, key, body) VALUES (?, ?, ?, ?)", rows)


def has_ended(db: sqlite3.Connection, job_id: str) -> bool:
    """Whether the job is final, or forgotten."""
    row = db.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row is None or row["state"] in FINAL


def end_job(db: sqlite3.Connection, job_id: str, state: str, error: str | None) -> bool:
    """End a job within a transaction; see `JobRecords.end`."""
    if has_ended(db, job_id):
        return False
    now = time.time()
    db.execute(
        "UPDATE jobs SET state = ?, error = coalesce(?, error), updated_s = ? WHERE id = ?",
        (state, error, now, job_id),
    )
    db.execute("DELETE FROM items WHERE job_id = ? AND until <= ?", (job_id, now))
    db.execute("DELETE FROM locks WHERE owner = ?", (job_id,))
    db.execute("DELETE FROM journal WHERE job_id = ?", (job_id,))
    return True


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row iterates over its values
    values |= {
        "kind": Kind(row["kind"]),
        "state": JobState(row["state"]),
        "request": json.loads(row["request"]),
    }
    return Job(**values)
