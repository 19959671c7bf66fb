"""Items on lease and dead letters in SQLite."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence

from ingest.jobs.models import BULK, WRITES, DeadLetter, Job, JobState, NewItem, Outcome, WorkItem
from ingest.jobs.processes import this_process
from ingest.jobs.sqlite_changes import mark_dirty
from ingest.jobs.sqlite_jobs import FINAL, has_ended, insert_items, insert_job
from ingest.jobs.sqlite_outcomes import end_if_through, settle_outcome
from ingest.jobs.sqlite_tables import BUSY, HELD, lease_clock
from ingest.jobs.store import SUSPICIOUS
from ingest.jobs.work import picture_keys, work_from_json
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["SqliteItems"]

_FREE = f"""i.queue = :queue AND NOT ({BUSY}) AND NOT EXISTS (
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
                mark_dirty(db, items)
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
                settle_outcome(db, outcome)
            for job_id in {outcome.item.job_id for outcome in outcomes}:
                end_if_through(db, job_id)

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
            WHERE i.queue = :queue AND {HELD} AND coalesce(:job, i.job_id) = i.job_id"""
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
            end_if_through(db, job.id)
        return count


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
