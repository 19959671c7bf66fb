"""What the outcome of an item changes in SQLite."""

from __future__ import annotations

import sqlite3
import time
from typing import assert_never

from ingest.jobs.models import WRITES, Done, GiveUp, JobState, Outcome, Retry
from ingest.jobs.sqlite_changes import mark_dirty
from ingest.jobs.sqlite_jobs import end_job, has_ended
from ingest.jobs.sqlite_tables import lease_clock
from ingest.jobs.stored_jobs import stored_details
from ingest.jobs.work import work_to_json

__all__ = ["end_if_through", "settle_outcome"]


def settle_outcome(db: sqlite3.Connection, outcome: Outcome) -> None:
    """Record the outcome of an item, unless another worker holds it by now."""
    item = outcome.item
    sql = "SELECT work FROM items WHERE seq = ? AND token = ?"
    if not db.execute(sql, (item.seq, item.token)).fetchone():
        return
    if item.queue == WRITES:
        mark_dirty(db, [item])
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


def end_if_through(db: sqlite3.Connection, job_id: str) -> None:
    """End a job without a stage whose last item is settled."""
    sql = "SELECT stage, done, failed_items FROM jobs WHERE id = ?"
    job = db.execute(sql, (job_id,)).fetchone()
    items = "SELECT 1 FROM items WHERE job_id = ? LIMIT 1"
    if job is None or job["stage"] or db.execute(items, (job_id,)).fetchone():
        return
    failed = job["failed_items"] and not job["done"]
    end_job(db, job_id, JobState.FAILED if failed else JobState.DONE, None)
