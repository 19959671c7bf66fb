"""SQLite for the record store: connections per thread, and its errors in our words."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import IndexUnavailable, StorageUnavailable, VitrineError

__all__ = ["Database", "translated"]


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into `StorageUnavailable` (disk) or `IndexUnavailable`, each with its remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise _in_our_words(error, path) from error
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be used ({error.strerror or error}); check the disk and the folder's permissions"
        ) from error


def _in_our_words(error: sqlite3.Error, path: Path) -> VitrineError:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith("SQLITE_FULL"):
        return StorageUnavailable(f"the disk that holds {path} is full; make room and try again")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return IndexUnavailable(f"{path} is locked by another writer; try again")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return IndexUnavailable(
            f"{path} is damaged; publish the previous version, restore a backup, or ingest again"
        )
    if name.startswith("SQLITE_READONLY"):
        return StorageUnavailable(
            f"{path} cannot be written; give this user the right to write there"
        )
    if not path.exists():
        return IndexUnavailable(
            f"{path} is gone; restore a backup, publish another version, or ingest again"
        )
    return IndexUnavailable(
        f"{path} does not answer ({error}); check the disk and the folder's permissions"
    )


class Database:
    """One SQLite file in WAL mode; every thread gets its own connection, and one thread at a time writes.

    An acknowledged commit is on the disk (synchronous=FULL): it survives kill -9 and a power cut.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False

    def reader(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        return self._connection("reader")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the file over several statements, errors translated."""
        with translated(self.path):
            connection = self.reader()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that commits at the end and rolls back on any error; errors translated."""
        if not self._writing.acquire(timeout=self._timeout_s):
            raise IndexUnavailable(
                f"{self.path} has been busy with another write for {self._timeout_s:g} s; try again"
            )
        try:
            with translated(self.path):
                connection = self._connection("writer")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close all connections; may be called twice."""
        with self._guard:
            self._closed = True
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _connection(self, kind: str) -> sqlite3.Connection:
        name = f"{kind}-{os.getpid()}"  # a connection must not be used on the other side of a fork
        found: sqlite3.Connection | None = getattr(self._local, name, None)
        if found is None:
            with translated(self.path):
                found = self._connect()
            setattr(self._local, name, found)
        return found

    def _connect(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise IndexUnavailable(f"{self.path} has been closed")
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=self._timeout_s,
                isolation_level=None,
                check_same_thread=False,
            )
            self._open.append(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection
