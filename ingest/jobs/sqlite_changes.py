"""Dirty keys and write barriers in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ingest.jobs.models import WRITES, DirtyKey, WorkItem
from ingest.jobs.sqlite_tables import HELD, lease_clock
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["SqliteChanges", "mark_dirty"]


class SqliteChanges:
    """The part of the store that notes live writes for a reindex."""

    _file: SQLiteFile

    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        sql = f"""SELECT key, generation FROM dirty_keys d
            WHERE EXISTS (SELECT 1 FROM changes WHERE job_id = :job) AND NOT EXISTS (
                SELECT 1 FROM items i WHERE i.queue = :queue AND i.key = d.key AND {HELD})
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


def mark_dirty(db: sqlite3.Connection, items: Sequence[WorkItem]) -> None:
    """Note the keys of writes, where a reindex has to know of them."""
    sql = """INSERT INTO dirty_keys (key, generation)
        SELECT ?, 1 WHERE EXISTS (SELECT 1 FROM changes)
        ON CONFLICT (key) DO UPDATE SET generation = generation + 1"""
    db.executemany(sql, [(item.key,) for item in items])
