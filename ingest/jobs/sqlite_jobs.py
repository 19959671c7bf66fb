"""Jobs in SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from ingest.jobs.locks import lock_conflict
from ingest.jobs.models import (
    Job,
    JobState,
    Kind,
    LockHolder,
    NewItem,
    QueueStats,
    SourceReport,
)
from ingest.jobs.sqlite_tables import lease_clock
from ingest.jobs.store import CATALOGUE
from ingest.jobs.stored_jobs import read_details, stored_details
from ingest.jobs.work import work_to_json
from vitrine.errors import NotFound
from vitrine.storage.sqlite import SQLiteFile

__all__ = [
    "FINAL",
    "SqliteJobs",
    "end_job",
    "has_ended",
    "insert_items",
    "insert_job",
    "lock_holder",
]

FINAL = tuple(state.value for state in JobState if state.final)
_FINAL = ", ".join(f"'{state}'" for state in FINAL)
_COLUMNS = tuple(Job.__dataclass_fields__)


class SqliteJobs:
    """The part of the store that keeps jobs."""

    _file: SQLiteFile

    def add(self, job: Job, items: Sequence[NewItem]) -> None:
        with self._file.writing() as db:
            if job.kind is Kind.REINDEX:
                _take_catalogue(db, job.id)
            insert_job(db, job)
            insert_items(db, job.id, items)

    def job(self, job_id: str) -> Job:
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no job {job_id!r}")
        return _job(row)

    def jobs(self, *, limit: int) -> list[Job]:
        with self._file.reading() as db:
            sql = "SELECT * FROM jobs ORDER BY number DESC LIMIT ?"
            return [_job(row) for row in db.execute(sql, (limit,))]

    def active(self) -> list[Job]:
        with self._file.reading() as db:
            sql = f"SELECT * FROM jobs WHERE state NOT IN ({_FINAL}) ORDER BY number"
            return [_job(row) for row in db.execute(sql)]

    def enter(self, job_id: str, state: JobState) -> bool:
        return self._set(job_id, {"state": state.value})

    def describe(self, job_id: str, *, total: int | None, version: str | None) -> bool:
        return self._set(job_id, {"total": total, "version": version})

    def report(self, job_id: str, report: SourceReport) -> None:
        self._set(job_id, {"report": stored_details(None, report)["report"]})

    def extend(self, job_id: str, items: Sequence[NewItem], *, cursor: str) -> bool:
        with self._file.writing() as db:
            if has_ended(db, job_id):
                return False
            insert_items(db, job_id, items)
            db.execute("UPDATE jobs SET cursor = ? WHERE id = ?", (cursor, job_id))
        return True

    def advance(self, job_id: str, *, stage: str, to: str, items: Sequence[NewItem]) -> bool:
        with self._file.writing() as db:
            row = db.execute("SELECT stage FROM jobs WHERE id = ?", (job_id,)).fetchone()
            busy = db.execute("SELECT 1 FROM items WHERE job_id = ? LIMIT 1", (job_id,)).fetchone()
            if row is None or row["stage"] != stage or busy or has_ended(db, job_id):
                return False
            db.execute("UPDATE jobs SET stage = ? WHERE id = ?", (to, job_id))
            insert_items(db, job_id, items)
        return True

    def end(self, job_id: str, state: JobState, *, error: str | None = None) -> bool:
        with self._file.writing() as db:
            return end_job(db, job_id, state, error)

    def prune_jobs(self, *, keep: int, older_than_s: float) -> None:
        newest = f"SELECT number FROM jobs WHERE state IN ({_FINAL}) ORDER BY number DESC LIMIT ?"
        sql = f"""DELETE FROM jobs WHERE updated_s <= ? AND state IN ({_FINAL})
            AND number NOT IN ({newest})"""
        with self._file.writing() as db:
            db.execute(sql, (time.time() - older_than_s, keep))

    def stats(self) -> QueueStats:
        sql = f"""SELECT count(*), total(state = 'queued' OR waiting IS NOT NULL), min(created_s)
            FROM jobs WHERE state NOT IN ({_FINAL})"""
        with self._file.reading() as db:
            count, waiting, oldest = db.execute(sql).fetchone()
            (items,) = db.execute("SELECT count(*) FROM items").fetchone()
        age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
        return QueueStats(count, int(waiting), items, age)

    def _set(self, job_id: str, changes: Mapping[str, object]) -> bool:
        with self._file.writing() as db:
            if has_ended(db, job_id):
                return False
            columns = ", ".join(f"{name} = ?" for name in changes)
            db.execute(
                f"UPDATE jobs SET {columns}, waiting = NULL, waiting_since_s = NULL,"
                " updated_s = ? WHERE id = ?",
                (*changes.values(), time.time(), job_id),
            )
        return True


def lock_holder(db: sqlite3.Connection, name: str) -> LockHolder | None:
    """Who holds a lock now."""
    now = lease_clock()
    row = db.execute(
        "SELECT owner, busy_from, busy_until FROM locks WHERE name = ?"
        " AND (busy_until IS NULL OR busy_from <= ? AND ? < busy_until)",
        (name, now, now),
    ).fetchone()
    if row is None or row["busy_until"] is None:
        return None if row is None else LockHolder(row["owner"])
    return LockHolder(row["owner"], now - row["busy_from"], row["busy_until"] - now)


def _take_catalogue(db: sqlite3.Connection, job_id: str) -> None:
    holder = lock_holder(db, CATALOGUE)
    if holder is not None:
        is_job = db.execute("SELECT 1 FROM jobs WHERE id = ?", (holder.owner,)).fetchone()
        raise lock_conflict(holder, is_job=bool(is_job))
    db.execute(
        "INSERT OR REPLACE INTO locks (name, owner, busy_from, busy_until) VALUES (?, ?, ?, NULL)",
        (CATALOGUE, job_id, lease_clock()),
    )
    db.execute("DELETE FROM dirty_keys")
    db.execute("INSERT INTO changes (job_id, barrier) VALUES (?, 0)", (job_id,))


def insert_job(db: sqlite3.Connection, job: Job) -> None:
    """Write a job that was not there."""
    now = time.time()
    stored = {name: getattr(job, name) for name in _COLUMNS}
    stored |= stored_details(job.request, job.report)
    stored |= {"created_s": now, "updated_s": now}
    names = ", ".join(_COLUMNS)
    db.execute(
        f"INSERT INTO jobs ({names}) VALUES ({', '.join(':' + name for name in _COLUMNS)})", stored
    )


def insert_items(db: sqlite3.Connection, job_id: str, items: Iterable[NewItem]) -> None:
    """Queue items behind all that are there."""
    rows = [(job_id, item.queue, item.key, work_to_json(item.work)) for item in items]
    db.executemany("INSERT INTO items (job_id, queue, key, work) VALUES (?, ?, ?, ?)", rows)


def has_ended(db: sqlite3.Connection, job_id: str) -> bool:
    """Whether the job is final, or no longer kept."""
    row = db.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row is None or row["state"] in FINAL


def end_job(db: sqlite3.Connection, job_id: str, state: str, error: str | None) -> bool:
    """End a job within a transaction; see `JobRecords.end`."""
    if has_ended(db, job_id):
        return False
    db.execute(
        "UPDATE jobs SET state = ?, error = coalesce(?, error), waiting = NULL,"
        " waiting_since_s = NULL, updated_s = ? WHERE id = ?",
        (state, error, time.time(), job_id),
    )
    held = "token IS NOT NULL AND busy_from <= :now AND :now < busy_until"
    db.execute(
        f"DELETE FROM items WHERE job_id = :job AND NOT ({held})",
        {"job": job_id, "now": lease_clock()},
    )
    db.execute("DELETE FROM locks WHERE owner = ?", (job_id,))
    db.execute("DELETE FROM changes WHERE job_id = ?", (job_id,))
    return True


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in _COLUMNS}
    kind = Kind(row["kind"])
    values |= {"kind": kind, "state": JobState(row["state"])}
    values |= read_details(kind, row["request"], row["report"])
    return Job(**values)
