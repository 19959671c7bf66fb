"""The tables of an SQLite file and their version, which the file carries as its `user_version`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["DatabaseSchema"]


@dataclass(frozen=True)
class DatabaseSchema:
    """SQL that makes the tables, and what brings those of earlier releases up to date.

    `migrations[n]` turns a file of version n into one of version n + 1. Files made before versions
    were written carry none; they are of version 1. In SQL each statement ends with its line.
    """

    tables: str
    version: int = 1
    migrations: Mapping[int, str] = field(default_factory=dict)
    page_size: int = 4096

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables in a file that has none, in one transaction."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                for statement in _statements(self.tables):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={self.version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def upgrade(self, connection: sqlite3.Connection) -> None:
        """Bring the file to this version; does nothing where `fault` says why it cannot be."""
        if _version(connection) == self.version or self.fault(connection) is not None:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            # read again: another process may have been quicker
            for version in range(_version(connection), self.version):
                for statement in _statements(self.migrations[version]):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={self.version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def fault(self, connection: sqlite3.Connection) -> str | None:
        """Why a file of this version cannot be used, None when it can."""
        version = _version(connection)
        if version > self.version:
            return (
                f"was written by a newer release (format {version}; this release knows formats"
                f" up to {self.version})"
            )
        if any(step not in self.migrations for step in range(version, self.version)):
            return f"was written by a release whose format {version} is no longer read"
        return None


def _version(connection: sqlite3.Connection) -> int:
    return max(1, int(connection.execute("PRAGMA user_version").fetchone()[0]))


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"no semicolon ends the line of {statement.strip()!r}")
