"""How far runs have come: the version that an interrupted one was filling, the ids it has seen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vitrine.errors import CatalogueBusy
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["Run", "Runs", "SeenId"]


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over a source into a version."""

    number: int
    source: str
    version: str

    @property
    def scope(self) -> str:
        """What the ids that it sees are kept under: a continued run finds them again."""
        return f"{self.version}\n{self.source}"


@dataclass(frozen=True, slots=True)
class SeenId:
    """What is known of an id when a row brings it.

    That is the row of this run that had it before, or what an interrupted run noted.
    """

    duplicate_of: int | None = None
    digest: str | None = None


class Runs:
    """The log of runs and of the ids they saw.

    It is on disk, so that memory does not grow with the catalogue. A run that was halted for so
    long that another one has begun in its place gets `CatalogueBusy`: what that has seen is not to
    be mixed with its own.
    """

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file

    def begin(self, source: str, version: str) -> Run:
        """Record that a run begins."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._file.writing() as db:
            number = db.execute(
                "INSERT INTO runs (source, version, started) VALUES (?, ?, ?)",
                (source, version, now),
            ).lastrowid
        return Run(int(number or 0), source, version)

    def finish(self, run: Run) -> None:
        """Forget the ids of a run that has read its whole source."""
        with self._file.writing() as db:
            _require_newest(db, run)
            db.execute("DELETE FROM seen WHERE scope = ?", (run.scope,))

    def record_unfinished(
        self, version: str, source: str, mapping: Mapping[str, Any], *, fingerprint: str
    ) -> None:
        """Note that an ingest fills a new version, so that it can be continued."""
        with self._file.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?)",
                (version, source, _canonical(mapping), fingerprint),
            )

    def unfinished(
        self, source: str, mapping: Mapping[str, Any], *, fingerprint: str
    ) -> str | None:
        """The version that an interrupted ingest of the same source, mapping and model filled."""
        with self._file.reading() as db:
            sql = """SELECT version FROM unfinished
                WHERE source = ? AND mapping = ? AND fingerprint = ? ORDER BY version DESC"""
            row = db.execute(sql, (source, _canonical(mapping), fingerprint)).fetchone()
        return str(row[0]) if row else None

    def clear_unfinished(self) -> list[str]:
        """Forget all unfinished versions and the ids that were seen for them; gives their names."""
        with self._file.writing() as db:
            names = db.execute("DELETE FROM unfinished RETURNING version").fetchall()
            db.executemany(
                "DELETE FROM seen WHERE substr(scope, 1, length(?1) + 1) = ?1 || char(10)", names
            )
        return [name for (name,) in names]

    def record_seen(self, run: Run, rows: Sequence[tuple[str, int]]) -> list[SeenId]:
        """Note ids with their rows, in order."""
        sql = """INSERT INTO seen (scope, id, run, row)
            SELECT ?, json_extract(value, '$[0]'), ?, json_extract(value, '$[1]')
            FROM json_each(?) WHERE true ORDER BY key
            ON CONFLICT (scope, id) DO UPDATE SET run = excluded.run, row = excluded.row
            WHERE seen.run <> excluded.run RETURNING row, digest"""
        with self._file.writing() as db:
            _require_newest(db, run)
            noted = db.execute(sql, (run.scope, run.number, json.dumps(rows)))
            digests = {int(row): digest for row, digest in noted.fetchall()}
            return [
                SeenId(digest=digests[row])
                if row in digests
                else SeenId(duplicate_of=_first_row(db, run, product_id))
                for product_id, row in rows
            ]

    def seen_ids(self, run: Run, ids: Iterable[str]) -> set[str]:
        """Those of the ids that the run has seen."""
        sql = """SELECT id FROM seen WHERE scope = ? AND run = ?
            AND id IN (SELECT value FROM json_each(?))"""
        with self._file.reading() as db:
            rows = db.execute(sql, (run.scope, run.number, json.dumps(list(ids))))
            seen_ids = {row["id"] for row in rows}
            _require_newest(db, run)
        return seen_ids

    def save_digests(self, run: Run, digests: Sequence[tuple[str, str]]) -> None:
        """Note, for ids that are stored, a digest of what they were made from."""
        with self._file.writing() as db:
            db.executemany(
                "UPDATE seen SET digest = ? WHERE scope = ? AND id = ?",
                [(d, run.scope, i) for i, d in digests],
            )


def _require_newest(db: sqlite3.Connection, run: Run) -> None:
    sql = "SELECT 1 FROM runs WHERE run > ? AND source = ? AND version = ?"
    if db.execute(sql, (run.number, run.source, run.version)).fetchone() is not None:
        raise CatalogueBusy(
            f"another run over {run.source} has begun meanwhile; run the same command again to go"
            " on"
        )


def _first_row(db: sqlite3.Connection, run: Run, product_id: str) -> int:
    sql = "SELECT row FROM seen WHERE scope = ? AND id = ?"
    return int(db.execute(sql, (run.scope, product_id)).fetchone()[0])


def _canonical(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, sort_keys=True, ensure_ascii=False)
