"""Schedules in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from ingest.jobs.models import Job, NewItem
from ingest.jobs.schedules import KEPT_RUNS, Schedule, ScheduledRun
from ingest.jobs.sqlite_jobs import insert_items, insert_job
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["SqliteSchedules"]


class SqliteSchedules:
    """The part of the store that keeps schedules."""

    _file: SQLiteFile

    def put_schedule(self, schedule: Schedule) -> None:
        sql = "INSERT OR REPLACE INTO schedules (name, terms, due_s) VALUES (?, ?, ?)"
        with self._file.writing() as db:
            db.execute(sql, (schedule.name, schedule.terms(), schedule.due_s))

    def schedules(self) -> list[Schedule]:
        with self._file.reading() as db:
            return [_schedule(row) for row in db.execute("SELECT * FROM schedules ORDER BY name")]

    def remove_schedule(self, name: str) -> bool:
        with self._file.writing() as db:
            return db.execute("DELETE FROM schedules WHERE name = ?", (name,)).rowcount > 0

    def start_scheduled(
        self, schedule: Schedule, job: Job, items: Sequence[NewItem], *, next_s: int
    ) -> bool:
        sql = """UPDATE schedules SET due_s = ?, job_id = ?
            WHERE name = ? AND due_s = ? AND job_id IS ?"""
        values = (next_s, job.id, schedule.name, schedule.due_s, schedule.job_id)
        with self._file.writing() as db:
            if not db.execute(sql, values).rowcount:
                return False
            insert_job(db, job)
            insert_items(db, job.id, items)
        return True

    def note_run(self, name: str, run: ScheduledRun) -> None:
        sql = "SELECT * FROM schedules WHERE name = ?"
        with self._file.writing() as db:
            row = db.execute(sql, (name,)).fetchone()
            if row is None:
                return
            runs = _schedule(row).runs
            if any(entry.job_id == run.job_id for entry in runs):
                return
            latest = [asdict(entry) for entry in (run, *runs)][:KEPT_RUNS]
            db.execute("UPDATE schedules SET runs = ? WHERE name = ?", (json.dumps(latest), name))


def _schedule(row: sqlite3.Row) -> Schedule:
    return Schedule.of(
        row["name"], row["terms"], due_s=row["due_s"], job_id=row["job_id"], runs=row["runs"]
    )
