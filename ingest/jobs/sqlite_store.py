"""The job store of one machine: a SQLite file."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from ingest.jobs.sqlite_changes import SqliteChanges
from ingest.jobs.sqlite_items import SqliteItems
from ingest.jobs.sqlite_jobs import SqliteJobs
from ingest.jobs.sqlite_locks import SqliteLocks
from ingest.jobs.sqlite_schedules import SqliteSchedules
from ingest.jobs.sqlite_tables import job_database

__all__ = ["SqliteStore"]

_LOOK_S = 0.05
"""Seconds between checks of the file's version, which take some microseconds each."""


class SqliteStore(SqliteJobs, SqliteItems, SqliteChanges, SqliteLocks, SqliteSchedules):
    """A `JobStore` in one file that all processes of a machine open."""

    def __init__(self, path: Path) -> None:
        self._file = job_database(path)
        self._seen = threading.local()

    def wait_for_work(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        seen = getattr(self._seen, "version", None)
        version = self._file.data_version()
        while version == seen and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            version = self._file.data_version()
        self._seen.version = version

    def close(self) -> None:
        self._file.close()
