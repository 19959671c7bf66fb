"""Items, dead letters, marks and locks in SQLite."""

from __future__ import annotations

import json
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
    Item,
    Job,
    JobState,
    NewItem,
    Outcome,
    Retry,
)
from ingest.jobs.sqlite_database import Database
from ingest.jobs.sqlite_records import FINAL, end_job, has_ended, insert_items, insert_job
from ingest.jobs.store import SUSPICIOUS

__all__ = ["SqliteChanges", "SqliteLocks", "SqliteWork"]

_FREE = """lane = :lane AND until <= :now AND not_before <= :now
    AND NOT EXISTS (SELECT 1 FROM items e WHERE e.lane = i.lane AND e.key = i.key AND e.seq < i.seq)"""


class SqliteWork:
    """The part of the store that hands out items."""

    _database: Database

    def claim(self, lane: str, *, limit: int, lease_s: float) -> list[Item]:
        with self._database.write() as db:
            if lane == WRITES and db.execute("SELECT 1 FROM journal WHERE closed").fetchone():
                return []
            now = time.time()
            _drop_orphans(db, lane, now)
            rows = db.execute(
                f"SELECT * FROM items i WHERE {_FREE} ORDER BY seq LIMIT :limit",
                {"lane": lane, "now": now, "limit": limit},
            )
            items = [_item(row, uuid.uuid4().hex) for row in _without_suspects(rows.fetchall())]
            _lease(db, items, now + lease_s)
            _start(db, items, now)
            if lane == WRITES:
                _mark(db, items)
        return items

    def renew(self, items: Sequence[Item], *, lease_s: float) -> bool:
        until = time.time() + lease_s
        with self._database.write() as db:
            renewed = [
                db.execute(
                    "UPDATE items SET until = ? WHERE seq = ? AND token = ?",
                    (until, i.seq, i.token),
                ).rowcount
                for i in items
            ]
            return all(renewed) and not any(
                has_ended(db, job_id) for job_id in {i.job_id for i in items}
            )

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        with self._database.write() as db:
            for outcome in outcomes:
                _settle(db, outcome)
            for job_id in {o.item.job_id for o in outcomes}:
                _finish(db, job_id)

    def waiting(self) -> int:
        with self._database.read() as db:
            lanes = (
                [BULK]
                if db.execute("SELECT 1 FROM journal WHERE closed").fetchone()
                else [WRITES, BULK]
            )
            sql = f"SELECT count(*) FROM (SELECT 1 FROM items i WHERE {_FREE} LIMIT 100)"
            counts = [
                int(db.execute(sql, {"lane": lane, "now": time.time()}).fetchone()[0])
                for lane in lanes
            ]
        return min(100, sum(counts))

    def held(self, lane: str, *, job_id: str | None = None) -> int:
        with self._database.read() as db:
            sql = "SELECT count(*) FROM items WHERE lane = ? AND until > ? AND coalesce(?, job_id) = job_id"
            return int(db.execute(sql, (lane, time.time(), job_id)).fetchone()[0])

    def open_items(self, job_id: str) -> int:
        with self._database.read() as db:
            return int(
                db.execute("SELECT count(*) FROM items WHERE job_id = ?", (job_id,)).fetchone()[0]
            )

    def dead(self, *, limit: int) -> list[DeadLetter]:
        with self._database.read() as db:
            rows = db.execute("SELECT * FROM dead ORDER BY seq LIMIT ?", (limit,)).fetchall()
        return [
            DeadLetter(row["seq"], row["key"], json.loads(row["body"]), *tuple(row)[3:])
            for row in rows
        ]

    def requeue_dead(self, job: Job, items: Sequence[NewItem] = ()) -> int:
        with self._database.write() as db:
            count = int(db.execute("SELECT count(*) FROM dead").fetchone()[0])
            insert_job(db, job, time.time())
            db.execute("UPDATE jobs SET total = ? WHERE id = ?", (count + (job.total or 0), job.id))
            insert_items(db, job.id, items)
            sql = "INSERT INTO items (job_id, lane, key, body) SELECT ?, ?, key, body FROM dead ORDER BY seq"
            db.execute(sql, (job.id, WRITES))
            db.execute("DELETE FROM dead")
            _finish(db, job.id)
        return count


class SqliteChanges:
    """The part of the store that marks live writes for a reindex."""

    _database: Database

    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        sql = """SELECT key, generation FROM marks m WHERE EXISTS (SELECT 1 FROM journal WHERE job_id = ?)
            AND NOT EXISTS (SELECT 1 FROM items i WHERE i.lane = ? AND i.key = m.key AND i.until > ?) ORDER BY key LIMIT ?"""
        with self._database.read() as db:
            return [
                DirtyKey(row[0], row[1])
                for row in db.execute(sql, (job_id, WRITES, time.time(), limit))
            ]

    def clear_dirty(self, job_id: str, dirty: Sequence[DirtyKey]) -> None:
        with self._database.write() as db:
            db.executemany(
                "DELETE FROM marks WHERE key = ? AND generation = ?",
                [(m.key, m.generation) for m in dirty],
            )

    def raise_write_barrier(self, job_id: str) -> bool:
        with self._database.write() as db:
            return (
                db.execute("UPDATE journal SET closed = 1 WHERE job_id = ?", (job_id,)).rowcount > 0
            )

    def lift_write_barrier(self, job_id: str) -> None:
        with self._database.write() as db:
            db.execute("UPDATE journal SET closed = 0 WHERE job_id = ?", (job_id,))


class SqliteLocks:
    """The part of the store that keeps locks."""

    _database: Database

    def lock(self, name: str, owner: str, *, lease_s: float) -> str | None:
        now = time.time()
        with self._database.write() as db:
            held = _holder(db, name, now)
            if held not in (None, owner):
                return held
            db.execute(
                "INSERT OR REPLACE INTO locks (name, owner, until) VALUES (?, ?, ?)",
                (name, owner, now + lease_s),
            )
        return None

    def unlock(self, name: str, owner: str) -> None:
        with self._database.write() as db:
            db.execute("DELETE FROM locks WHERE name = ? AND owner = ?", (name, owner))

    def holder(self, name: str) -> str | None:
        with self._database.read() as db:
            return _holder(db, name, time.time())


def _item(row: sqlite3.Row, token: str) -> Item:
    return Item(
        row["seq"],
        row["job_id"],
        row["lane"],
        row["key"],
        json.loads(row["body"]),
        row["attempts"] + 1,
        token,
    )


def _without_suspects(rows: Sequence[sqlite3.Row]) -> Sequence[sqlite3.Row]:
    if rows and rows[0]["attempts"] >= SUSPICIOUS:
        return rows[:1]
    return [row for row in rows if row["attempts"] < SUSPICIOUS]


def _drop_orphans(db: sqlite3.Connection, lane: str, now: float) -> None:
    """Items that were held when their job ended are dropped when the lease runs out."""
    marks = ", ".join("?" * len(FINAL))
    sql = f"""DELETE FROM items WHERE lane = ? AND token IS NOT NULL AND until <= ?
        AND (job_id IN (SELECT id FROM jobs WHERE state IN ({marks})) OR job_id NOT IN (SELECT id FROM jobs))"""
    db.execute(sql, (lane, now, *FINAL))


def _lease(db: sqlite3.Connection, items: Sequence[Item], until: float) -> None:
    sql = "UPDATE items SET token = ?, until = ?, attempts = ? WHERE seq = ?"
    db.executemany(sql, [(i.token, until, i.attempts, i.seq) for i in items])


def _start(db: sqlite3.Connection, items: Sequence[Item], now: float) -> None:
    sql = "UPDATE jobs SET state = ?, started_s = coalesce(started_s, ?), updated_s = ? WHERE id = ? AND state = ?"
    db.executemany(
        sql,
        [
            (JobState.RUNNING, now, now, job_id, JobState.QUEUED)
            for job_id in {i.job_id for i in items}
        ],
    )


def _mark(db: sqlite3.Connection, items: Sequence[Item]) -> None:
    sql = """INSERT INTO marks (key, generation) SELECT ?, 1 WHERE EXISTS (SELECT 1 FROM journal)
        ON CONFLICT (key) DO UPDATE SET generation = generation + 1"""
    db.executemany(sql, [(i.key,) for i in items])


def _settle(db: sqlite3.Connection, outcome: Outcome) -> None:
    item = outcome.item
    if not db.execute(
        "SELECT 1 FROM items WHERE seq = ? AND token = ?", (item.seq, item.token)
    ).fetchone():
        return
    if item.queue == WRITES:
        _mark(db, [item])
    if isinstance(outcome, Retry):
        if has_ended(db, item.job_id):
            db.execute("DELETE FROM items WHERE seq = ?", (item.seq,))
            return
        sql = "UPDATE items SET token = NULL, until = 0, attempts = ?, not_before = ? WHERE seq = ?"
        db.execute(sql, (outcome.attempts, time.time() + outcome.after_s, item.seq))
        return
    db.execute("DELETE FROM items WHERE seq = ?", (item.seq,))
    match outcome:
        case Done():
            _count(db, item, outcome.done, outcome.failed, outcome.error)
            if item.queue == WRITES and outcome.done:
                db.execute("DELETE FROM dead WHERE key = ? AND seq < ?", (item.key, item.seq))
        case GiveUp():
            _count(db, item, 0, 1, outcome.message)
            letter = (
                item.seq,
                item.key,
                json.dumps(dict(item.body)),
                outcome.stage,
                outcome.reason,
                outcome.message,
                time.time(),
            )
            db.execute(
                "INSERT INTO dead (seq, key, body, stage, reason, message, at_s) VALUES (?, ?, ?, ?, ?, ?, ?)",
                letter,
            )
        case _:
            assert_never(outcome)


def _count(db: sqlite3.Connection, item: Item, done: int, failed: int, error: str | None) -> None:
    sql = "UPDATE jobs SET done = done + ?, failed_items = failed_items + ?, error = coalesce(error, ?), updated_s = ? WHERE id = ?"
    db.execute(sql, (done, failed, error, time.time(), item.job_id))


def _finish(db: sqlite3.Connection, job_id: str) -> None:
    job = db.execute(
        "SELECT stage, done, failed_items FROM jobs WHERE id = ?", (job_id,)
    ).fetchone()
    if (
        job is None
        or job["stage"]
        or db.execute("SELECT 1 FROM items WHERE job_id = ? LIMIT 1", (job_id,)).fetchone()
    ):
        return
    end_job(
        db,
        job_id,
        JobState.FAILED if job["failed_items"] and not job["done"] else JobState.DONE,
        None,
    )


def _holder(db: sqlite3.Connection, name: str, now: float) -> str | None:
    row = db.execute(
        "SELECT owner FROM locks WHERE name = ? AND (until IS NULL OR until > ?)", (name, now)
    ).fetchone()
    return None if row is None else str(row["owner"])
