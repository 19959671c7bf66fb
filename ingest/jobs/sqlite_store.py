"""The job store of one machine: a SQLite file."""

from __future__ import annotations

from pathlib import Path

from ingest.jobs.sqlite_database import Database
from ingest.jobs.sqlite_records import SqliteRecords
from ingest.jobs.sqlite_work import SqliteChanges, SqliteLocks, SqliteWork

__all__ = ["SqliteStore"]


class SqliteStore(SqliteRecords, SqliteWork, SqliteChanges, SqliteLocks):
    """A `JobStore` in one file that all processes of a machine open."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def close(self) -> None:
        self._database.close()
