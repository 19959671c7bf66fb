"""The failure ledger: every row and picture that could not be taken, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.database import ingest_database
from vitrine.settings import DataSettings
from vitrine.storage.sqlite import SQLiteFile

__all__ = ["API", "Failure", "Ledger", "open_ledger"]

_NEVER = datetime.min.replace(tzinfo=UTC)

API = "api"
"""The source of products that came through the admin API."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One product that could not be taken.

    `id` is the product's, or "row N" where it has none. `stage` is "read", "fields", "image", "embed" or "write"; `reason` is a stable
    code for programs, `message` is for people. `source` and `row` find it again: another run over the source retries it.
    """

    id: str
    stage: str
    reason: str
    message: str
    source: str = API
    row: int | None = None
    run: int | None = None
    at: datetime = _NEVER


class Ledger:
    """The failures that stand: a product that succeeds later leaves, one that fails again is renewed."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file

    def add(self, failure: Failure) -> None:
        """Note a failure; it is dated now and takes the place of the earlier one of the same row."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._file.writing() as db:
            db.execute(
                "DELETE FROM failures WHERE source = ? AND row IS ? AND id = ?",
                (failure.source, failure.row, failure.id),
            )
            db.execute(
                "INSERT INTO failures (source, row, id, stage, reason, message, at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    failure.source,
                    failure.row,
                    failure.id,
                    failure.stage,
                    failure.reason,
                    failure.message,
                    now,
                    failure.run,
                ),
            )

    def clear(self, ids: Iterable[str]) -> int:
        """Remove the failures of these product ids and return how many there were."""
        with self._file.writing() as db:
            return sum(
                db.execute("DELETE FROM failures WHERE id = ?", (one,)).rowcount for one in ids
            )

    def drop_resolved(self, source: str, run: int) -> None:
        """After a complete run over a source: failures that the run did not see again are gone."""
        with self._file.writing() as db:
            db.execute("DELETE FROM failures WHERE source = ? AND run IS NOT ?", (source, run))

    def entries(
        self, *, limit: int = 100, offset: int = 0, source: str | None = None
    ) -> tuple[tuple[Failure, ...], int]:
        """Failures, newest first, and how many there are in all."""
        with self._file.reading() as db:
            total = db.execute(
                "SELECT count(*) FROM failures WHERE ?1 IS NULL OR source = ?1", (source,)
            ).fetchone()[0]
            rows = db.execute(
                "SELECT id, stage, reason, message, source, row, run, at FROM failures WHERE ?1 IS NULL OR source = ?1 "
                "ORDER BY number DESC LIMIT ?2 OFFSET ?3",
                (source, limit, offset),
            ).fetchall()
        return tuple(_failure(row) for row in rows), int(total)

    def rows(self, source: str) -> frozenset[int]:
        """The rows of a source that failed."""
        with self._file.reading() as db:
            return frozenset(
                row
                for (row,) in db.execute(
                    "SELECT row FROM failures WHERE source = ? AND row IS NOT NULL", (source,)
                )
            )

    def failed_ids(self, source: str, run: int, ids: Iterable[str]) -> set[str]:
        """Those of the ids that failed in a run over a source."""
        sql = """SELECT id FROM failures WHERE source = ? AND run = ?
            AND id IN (SELECT value FROM json_each(?))"""
        with self._file.reading() as db:
            rows = db.execute(sql, (source, run, json.dumps(list(ids))))
            return {row["id"] for row in rows}

    def sources(self) -> dict[str, int]:
        """The sources with failures and how many each has."""
        with self._file.reading() as db:
            return dict(
                db.execute(
                    "SELECT source, count(*) FROM failures GROUP BY source ORDER BY source"
                ).fetchall()
            )


def _failure(row: tuple[Any, ...]) -> Failure:
    product_id, stage, reason, message, source, number, run, at = row
    return Failure(
        product_id, stage, reason, message, source, number, run, datetime.fromisoformat(at)
    )


def open_ledger(settings: DataSettings) -> Ledger:
    """The ledger below the data folder; `StorageUnavailable` when it cannot be used."""
    return Ledger(ingest_database(settings.data_dir))
