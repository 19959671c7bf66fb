"""Items, dead letters, dirty keys and locks in SQLite."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence
from typing import assert_never

from ingest.jobs.models import (
    BULK,
    WRITES,
    DeadLetter,
    DirtyKey,
    Done,
    GiveUp,
    Job,
    JobState,
    LockHolder,
    NewItem,
    Outcome,
    Retry,
    WorkItem,
)
from ingest.jobs.processes import this_process
from ingest.jobs.sqlite_jobs import (
    FINAL,
    end_job,
    has_ended,
    insert_items,
    insert_job,
    lock_holder,
)
from ingest.jobs.sqlite_tables import lease_clock
from ingest.jobs.store import SUSPICIOUS
from ingest.jobs.stored_jobs import stored_details
from ingest.jobs.work import picture_keys, work_from_json, work_to_json
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["SqliteChanges", "SqliteItems", "SqliteLocks"]

_BUSY = "i.busy_from <= :now AND :now < i.busy_until"
_HELD = f"i.token IS NOT NULL AND {_BUSY}"
_FREE = f"""i.queue = :queue AND NOT ({_BUSY}) AND NOT EXISTS (
    SELECT 1 FROM items e WHERE e.queue = i.queue AND e.key = i.key AND e.seq < i.seq)"""
_BARRIER = "SELECT 1 FROM changes WHERE barrier"


class SqliteItems:
    """The part of the store that hands out items."""

    _file: SQLiteFile

    def claim(self, queue: str, *, limit: int, lease_s: float) -> list[WorkItem]:
        with self._file.writing() as db:
            if queue == WRITES and db.execute(_BARRIER).fetchone():
                return []
            now = lease_clock()
            _drop_orphans(db, queue, now)
            rows = db.execute(
                f"SELECT * FROM items i WHERE {_FREE} ORDER BY seq LIMIT :limit",
                {"queue": queue, "now": now, "limit": limit},
            )
            items = [_item(row, uuid.uuid4().hex) for row in _without_suspects(rows.fetchall())]
            _lease(db, items, now, lease_s)
            _start(db, items)
            if queue == WRITES:
                _mark_dirty(db, items)
        return items

    def renew(self, items: Sequence[WorkItem], *, lease_s: float) -> bool:
        now = lease_clock()
        sql = "UPDATE items SET busy_from = ?, busy_until = ? WHERE seq = ? AND token = ?"
        with self._file.writing() as db:
            renewed = [
                db.execute(sql, (now, now + lease_s, item.seq, item.token)).rowcount
                for item in items
            ]
            ended = any(has_ended(db, job_id) for job_id in {item.job_id for item in items})
        return all(renewed) and not ended

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        with self._file.writing() as db:
            for outcome in outcomes:
                _settle(db, outcome)
            for job_id in {outcome.item.job_id for outcome in outcomes}:
                _end_if_through(db, job_id)

    def waiting(self) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM items i WHERE {_FREE} LIMIT 100)"
        with self._file.reading() as db:
            queues = [BULK] if db.execute(_BARRIER).fetchone() else [WRITES, BULK]
            counts = [
                db.execute(sql, {"queue": queue, "now": lease_clock()}).fetchone()[0]
                for queue in queues
            ]
        return int(min(100, sum(counts)))

    def held(self, queue: str, *, job_id: str | None = None) -> int:
        sql = f"""SELECT count(*) FROM items i
            WHERE i.queue = :queue AND {_HELD} AND coalesce(:job, i.job_id) = i.job_id"""
        with self._file.reading() as db:
            values = {"queue": queue, "now": lease_clock(), "job": job_id}
            return int(db.execute(sql, values).fetchone()[0])

    def picture_keys(self) -> set[str]:
        with self._file.reading() as db:
            rows = db.execute("SELECT work FROM items UNION ALL SELECT work FROM dead")
            return picture_keys(row["work"] for row in rows)

    def holders(self) -> set[str]:
        with self._file.reading() as db:
            rows = db.execute("SELECT DISTINCT holder FROM items WHERE holder IS NOT NULL")
            return {row["holder"] for row in rows}

    def release(self, holder: str) -> None:
        with self._file.writing() as db:
            db.execute("UPDATE items SET busy_until = busy_from WHERE holder = ?", (holder,))

    def open_items(self, job_id: str) -> int:
        with self._file.reading() as db:
            sql = "SELECT count(*) FROM items WHERE job_id = ?"
            return int(db.execute(sql, (job_id,)).fetchone()[0])

    def dead(self, *, limit: int) -> list[DeadLetter]:
        with self._file.reading() as db:
            rows = db.execute("SELECT * FROM dead ORDER BY seq LIMIT ?", (limit,)).fetchall()
        return [
            DeadLetter(row["seq"], row["key"], work_from_json(row["work"]), *tuple(row)[3:])
            for row in rows
        ]

    def requeue_dead(self, job: Job, items: Sequence[NewItem] = ()) -> int:
        with self._file.writing() as db:
            count = int(db.execute("SELECT count(*) FROM dead").fetchone()[0])
            insert_job(db, job)
            db.execute("UPDATE jobs SET total = ? WHERE id = ?", (count + (job.total or 0), job.id))
            insert_items(db, job.id, items)
            sql = """INSERT INTO items (job_id, queue, key, work)
                SELECT ?, ?, key, work FROM dead ORDER BY seq"""
            db.execute(sql, (job.id, WRITES))
            db.execute("DELETE FROM dead")
            _end_if_through(db, job.id)
        return count


class SqliteChanges:
    """The part of the store that notes live writes for a reindex."""

    _file: SQLiteFile

    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        sql = f"""SELECT key, generation FROM dirty_keys d
            WHERE EXISTS (SELECT 1 FROM changes WHERE job_id = :job) AND NOT EXISTS (
                SELECT 1 FROM items i WHERE i.queue = :queue AND i.key = d.key AND {_HELD})
            ORDER BY key LIMIT :limit"""
        values = {"job": job_id, "queue": WRITES, "now": lease_clock(), "limit": limit}
        with self._file.reading() as db:
            return [DirtyKey(row["key"], row["generation"]) for row in db.execute(sql, values)]

    def clear_dirty(self, job_id: str, dirty: Sequence[DirtyKey]) -> None:
        with self._file.writing() as db:
            db.executemany(
                "DELETE FROM dirty_keys WHERE key = ? AND generation = ?",
                [(entry.key, entry.generation) for entry in dirty],
            )

    def raise_write_barrier(self, job_id: str) -> bool:
        return self._set_barrier(job_id, 1)

    def lift_write_barrier(self, job_id: str) -> None:
        self._set_barrier(job_id, 0)

    def _set_barrier(self, job_id: str, barrier: int) -> bool:
        with self._file.writing() as db:
            sql = "UPDATE changes SET barrier = ? WHERE job_id = ?"
            return db.execute(sql, (barrier, job_id)).rowcount > 0


class SqliteLocks:
    """The part of the store that keeps locks."""

    _file: SQLiteFile

    def lock(self, name: str, owner: str, *, lease_s: float) -> LockHolder | None:
        with self._file.writing() as db:
            holder = lock_holder(db, name)
            if holder is not None and holder.owner != owner:
                return holder
            now = lease_clock()
            db.execute(
                "INSERT OR REPLACE INTO locks (name, owner, busy_from, busy_until)"
                " VALUES (?, ?, ?, ?)",
                (name, owner, now, now + lease_s),
            )
        return None

    def unlock(self, name: str, owner: str) -> None:
        with self._file.writing() as db:
            db.execute("DELETE FROM locks WHERE name = ? AND owner = ?", (name, owner))

    def holder(self, name: str) -> LockHolder | None:
        with self._file.reading() as db:
            return lock_holder(db, name)


def _item(row: sqlite3.Row, token: str) -> WorkItem:
    return WorkItem(
        row["seq"],
        row["job_id"],
        row["queue"],
        row["key"],
        work_from_json(row["work"]),
        row["attempts"] + 1,
        token,
    )


def _without_suspects(rows: Sequence[sqlite3.Row]) -> Sequence[sqlite3.Row]:
    if rows and rows[0]["attempts"] >= SUSPICIOUS:
        return rows[:1]
    return [row for row in rows if row["attempts"] < SUSPICIOUS]


def _drop_orphans(db: sqlite3.Connection, queue: str, now: float) -> None:
    """Items that were held when their job ended are dropped when the lease runs out."""
    final = ", ".join("?" * len(FINAL))
    sql = f"""DELETE FROM items AS i WHERE i.queue = ? AND i.holder IS NOT NULL
        AND NOT (i.busy_from <= ? AND ? < i.busy_until)
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = i.job_id AND state NOT IN ({final}))"""
    db.execute(sql, (queue, now, now, *FINAL))


def _lease(db: sqlite3.Connection, items: Sequence[WorkItem], now: float, lease_s: float) -> None:
    holder = str(this_process())
    sql = """UPDATE items SET token = ?, holder = ?, busy_from = ?, busy_until = ?, attempts = ?
        WHERE seq = ?"""
    rows = [(item.token, holder, now, now + lease_s, item.attempts, item.seq) for item in items]
    db.executemany(sql, rows)


def _start(db: sqlite3.Connection, items: Sequence[WorkItem]) -> None:
    now = time.time()
    sql = """UPDATE jobs SET state = ?, started_s = coalesce(started_s, ?), updated_s = ?
        WHERE id = ? AND state = ?"""
    jobs = {item.job_id for item in items}
    rows = [(JobState.RUNNING, now, now, job_id, JobState.QUEUED) for job_id in jobs]
    db.executemany(sql, rows)


def _mark_dirty(db: sqlite3.Connection, items: Sequence[WorkItem]) -> None:
    sql = """INSERT INTO dirty_keys (key, generation)
        SELECT ?, 1 WHERE EXISTS (SELECT 1 FROM changes)
        ON CONFLICT (key) DO UPDATE SET generation = generation + 1"""
    db.executemany(sql, [(item.key,) for item in items])


def _settle(db: sqlite3.Connection, outcome: Outcome) -> None:
    item = outcome.item
    sql = "SELECT work FROM items WHERE seq = ? AND token = ?"
    if not db.execute(sql, (item.seq, item.token)).fetchone():
        return
    if item.queue == WRITES:
        _mark_dirty(db, [item])
    match outcome:
        case Retry():
            _put_off(db, outcome)
        case Done():
            _remove(db, outcome)
            if item.queue == WRITES and outcome.done:
                db.execute("DELETE FROM dead WHERE key = ? AND seq < ?", (item.key, item.seq))
        case GiveUp():
            _remove(db, Done(item, 0, 1, outcome.message))
            db.execute(
                "INSERT INTO dead (seq, key, work, stage, reason, message, at_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    item.seq,
                    item.key,
                    work_to_json(item.work),
                    outcome.stage,
                    outcome.reason,
                    outcome.message,
                    time.time(),
                ),
            )
        case _:
            assert_never(outcome)


def _put_off(db: sqlite3.Connection, outcome: Retry) -> None:
    item, now = outcome.item, lease_clock()
    if has_ended(db, item.job_id):
        db.execute("DELETE FROM items WHERE seq = ?", (item.seq,))
        return
    sql = """UPDATE items SET token = NULL, holder = NULL, busy_from = ?, busy_until = ?,
        attempts = ? WHERE seq = ?"""
    db.execute(sql, (now, now + outcome.after_s, outcome.attempts, item.seq))
    sql = """UPDATE jobs SET waiting = ?, waiting_since_s = coalesce(waiting_since_s, ?)
        WHERE id = ?"""
    db.execute(sql, (outcome.reason, time.time(), item.job_id))


def _remove(db: sqlite3.Connection, through: Done) -> None:
    item, report = through.item, stored_details(None, through.report)["report"]
    db.execute("DELETE FROM items WHERE seq = ?", (item.seq,))
    sql = """UPDATE jobs SET done = done + ?, failed_items = failed_items + ?,
        error = coalesce(error, ?), report = coalesce(?, report),
        waiting = NULL, waiting_since_s = NULL, updated_s = ? WHERE id = ?"""
    values = (through.done, through.failed, through.error, report, time.time(), item.job_id)
    db.execute(sql, values)


def _end_if_through(db: sqlite3.Connection, job_id: str) -> None:
    sql = "SELECT stage, done, failed_items FROM jobs WHERE id = ?"
    job = db.execute(sql, (job_id,)).fetchone()
    items = "SELECT 1 FROM items WHERE job_id = ? LIMIT 1"
    if job is None or job["stage"] or db.execute(items, (job_id,)).fetchone():
        return
    failed = job["failed_items"] and not job["done"]
    end_job(db, job_id, JobState.FAILED if failed else JobState.DONE, None)
