"""Named locks in SQLite."""

from __future__ import annotations

from ingest.jobs.models import LockHolder
from ingest.jobs.sqlite_jobs import lock_holder
from ingest.jobs.sqlite_tables import lease_clock
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["SqliteLocks"]


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
