"""SQLite as every room uses it: WAL files with a schema version, pooled connections, clear errors.

What a commit acknowledged is on the disk (synchronous=FULL): it survives kill -9 and a power cut.
With NORMAL it survives kill -9, and a power cut takes the last commits back but damages nothing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from vitrine.errors import StorageUnavailable, VitrineError
from vitrine.storage.atomic import disk_errors, make_folders, sync_folder
from vitrine.storage.schema import DatabaseSchema

__all__ = ["DatabaseSchema", "SQLiteFile"]

_INHERITED: list[sqlite3.Connection] = []
"""Copied by a fork: the child must neither use nor close them (sqlite.org/howtocorrupt, 2.6)."""


class SQLiteFile:
    """One file, for several threads and processes; nothing is opened before it is used.

    Rows are `sqlite3.Row`. `unavailable` is the error of a file that cannot answer, and `remedy`
    what its text advises where the file itself is lost; a full or read-only disk is
    `StorageUnavailable`.
    """

    def __init__(
        self,
        path: Path,
        schema: DatabaseSchema,
        *,
        timeout_s: float = 30.0,
        unavailable: type[VitrineError] = StorageUnavailable,
        remedy: str = "restore a backup",
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
    ) -> None:
        self.path = path
        self._schema = schema
        self._timeout_s = timeout_s
        self._unavailable = unavailable
        self._remedy = remedy
        self._synchronous = synchronous
        self._idle: list[sqlite3.Connection] = []
        self._watcher: sqlite3.Connection | None = None
        self._watchers = 0
        self._process = os.getpid()
        self._closed = False
        self._guard = threading.Lock()
        self._watching = threading.Lock()
        self._writing = threading.Lock()

    def create(self) -> None:
        """Create the file with its tables unless it exists."""
        with disk_errors(self.path):
            make_folders(self.path.parent)
            with self._errors(), closing(self._open("rwc")) as connection:
                connection.execute(f"PRAGMA page_size={self._schema.page_size}")
                connection.execute("PRAGMA journal_mode=WAL")
                self._schema.create(connection)
            sync_folder(self.path.parent)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the file over several statements."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction without other writers; commits at the end, rolls back on any error."""
        if not self._writing.acquire(timeout=self._timeout_s):
            raise self._unavailable(
                f"{self.path} has been busy with another write for {self._timeout_s:g} s; try again"
            )
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._writing.release()

    def data_version(self) -> tuple[int, int]:
        """A value that changes whenever anyone, in any process, has committed; microseconds.

        SQLite's number tells this on one connection only, so one is kept for it; the first number
        says which, for a fork or an error may replace it.
        """
        if not os.path.exists(self.path):
            raise self._unavailable(f"{self.path} is gone; {self._remedy}")
        with self._watching, self._errors():
            self._leave_parent()
            if self._watcher is None:
                self._watcher, self._watchers = self._connect(), self._watchers + 1
            try:
                (number,) = self._watcher.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                self._watcher.close()
                self._watcher = None
                raise
            return self._watchers, int(number)

    def close(self) -> None:
        """Close all connections, those in use when they are given back; may be called twice."""
        with self._watching, self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
            watcher, self._watcher = self._watcher, None
        for connection in (*idle, watcher):
            if connection is not None and self._process == os.getpid():
                connection.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            connection = self._take()
            sound = True
            try:
                yield connection
            except sqlite3.Error:
                sound = False
                raise
            finally:
                self._give_back(connection, sound=sound)

    def _take(self) -> sqlite3.Connection:
        self._leave_parent()
        with self._guard:
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection, *, sound: bool) -> None:
        with self._guard:
            if sound and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _leave_parent(self) -> None:
        with self._guard:
            if self._process != os.getpid():
                _INHERITED.extend(self._idle)
                if self._watcher is not None:
                    _INHERITED.append(self._watcher)
                self._idle, self._watcher, self._process = [], None, os.getpid()

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise self._unavailable(f"{self.path} has been closed")
        connection = self._open("rw")
        try:
            self._schema.upgrade(connection)
            fault = self._schema.fault(connection)
            if fault is not None:
                raise self._unavailable(f"{self.path} {fault}; {self._remedy}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _is_full(self) -> bool:
        """Whether the disk is full: then a read fails too, for SQLite first makes shared memory."""
        try:
            return shutil.disk_usage(self.path.parent).free == 0
        except OSError:
            return False

    def _translated(self, error: sqlite3.Error) -> VitrineError:
        code = str(getattr(error, "sqlite_errorname", ""))
        if code.startswith("SQLITE_FULL") or (code.startswith("SQLITE_IOERR") and self._is_full()):
            return StorageUnavailable(
                f"the disk that holds {self.path} is full; make room and try again"
            )
        if code.startswith("SQLITE_READONLY"):
            return StorageUnavailable(
                f"{self.path} cannot be written; give this user the right to write there"
            )
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return self._unavailable(f"{self.path} is locked by another writer; try again")
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return self._unavailable(f"{self.path} is damaged; {self._remedy}")
        if not self.path.exists():
            return self._unavailable(f"{self.path} is gone; {self._remedy}")
        return self._unavailable(
            f"{self.path} does not answer ({error}); check the disk and the folder's permissions"
        )
