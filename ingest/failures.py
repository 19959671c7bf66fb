"""The failure ledger: every row and picture that could not be taken, and why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.database import ingest_database
from vitrine.settings import DataSettings
from vitrine.storage.sqlite import SQLiteFile

__all__ = [
    "API",
    "LOST_PICTURE",
    "CatalogueWarning",
    "Failure",
    "FailureGroup",
    "Ledger",
    "open_ledger",
    "remedy_of",
]

_NEVER = datetime.min.replace(tzinfo=UTC)

_REMEDIES: Mapping[str, str] = {
    "invalid_field": "correct the cell in the shop system, or set on_error or values for the field "
    "in the mapping",
    "broken_row": "open the file at that row; look for a quotation mark or a broken character",
    "duplicate_id": "give each product its own id, or map another column",
    "missing": "add the picture in the shop system, or set [images] base in the mapping",
    "unreachable": "open the address in a browser; ingest again when the host answers",
    "too_slow": "ingest again when the host is less busy, or raise VITRINE_FETCH_TIMEOUT_S",
    "forbidden_address": "use public addresses, or set VITRINE_FETCH_PRIVATE where that is meant",
    "bad_address": "correct the picture's address in the shop system",
    "too_many_bytes": "save the picture smaller, or raise VITRINE_MAX_IMAGE_MB",
    "too_many_pixels": "save the picture smaller, or raise VITRINE_MAX_IMAGE_MEGAPIXELS",
    "format_not_allowed": "save the picture as JPEG, PNG or WEBP",
    "not_an_image": "replace what the address or file holds with a picture",
    "truncated": "upload the picture again: it was cut off",
    "damaged": "export or upload the picture again",
    "lost_picture": "send the product's pictures again",
    "ended_decoder": "export the picture again: it ends the program that decodes it",
    "deleted_meanwhile": "ingest again if the product should be there",
}
"""What a shop's employee does about failures of a reason."""

LOST_PICTURE = "lost_picture"
"""Reason and source of a product from the admin API that came without one of its pictures."""

API = "api"
"""The source of products that came through the admin API."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One product that could not be taken.

    `id` is the product's, or its place where it has none. `stage` is "read", "fields", "image",
    "embed" or "write"; `reason` is a stable code for programs, `message` is for people. `source`
    and `row` (from 0) find it again: another run over the source retries it. `place` is where an
    employee finds it, such as "row 7" as a spreadsheet numbers it.
    """

    id: str
    stage: str
    reason: str
    message: str
    source: str = API
    row: int | None = None
    run: int | None = None
    at: datetime = _NEVER
    place: str = ""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The failures of one reason: how many, the first of them, and what to do about them."""

    reason: str
    count: int
    example: Failure
    remedy: str


@dataclass(frozen=True, slots=True)
class CatalogueWarning:
    """Something that was taken but looks odd; `id` and `place` are of the first of `count`."""

    reason: str
    message: str
    source: str
    id: str = ""
    place: str = ""
    count: int = 1
    run: int | None = None
    at: datetime = _NEVER


def remedy_of(reason: str) -> str:
    """What to do about failures of a reason."""
    return _REMEDIES.get(reason, "see the messages")


class Ledger:
    """The failures that stand, and what looks odd.

    A product that succeeds later leaves, one that fails again is renewed.
    """

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file

    def add(self, failure: Failure) -> None:
        """Note a failure, dated now, in place of the earlier one of the same row.

        One of another catalogue for the same product goes as well: exports are often named by
        their day. What a newer run has noted stays: this one was halted meanwhile.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (
            failure.source,
            failure.row,
            failure.id,
            failure.stage,
            failure.reason,
            failure.message,
            now,
            failure.run,
            failure.place,
        )
        same = "source = ? AND row IS ? AND id = ?"
        with self._file.writing() as db:
            newer = f"SELECT 1 FROM failures WHERE {same} AND run > ?"  # noqa: S608  # a constant
            if db.execute(newer, (*values[:3], failure.run)).fetchone() is not None:
                return
            db.execute(f"DELETE FROM failures WHERE {same}", values[:3])  # noqa: S608  # a constant
            if failure.source != API and failure.id != failure.place:
                other = "DELETE FROM failures WHERE id = ? AND source NOT IN (?, ?)"
                db.execute(other, (failure.id, failure.source, API))
            db.execute(
                "INSERT INTO failures (source, row, id, stage, reason, message, at, run, place) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def note_warnings(self, source: str, warnings: Iterable[CatalogueWarning]) -> None:
        """Put a run's remarks in place of those of earlier runs over the source."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._file.writing() as db:
            db.execute("DELETE FROM warnings WHERE source = ?", (source,))
            db.executemany(
                "INSERT INTO warnings (source, reason, message, id, place, count, at, run) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (source, w.reason, w.message, w.id, w.place, w.count, now, w.run)
                    for w in warnings
                ],
            )

    def clear(self, ids: Iterable[str]) -> int:
        """Remove the failures of these product ids and return how many there were."""
        with self._file.writing() as db:
            return sum(
                db.execute("DELETE FROM failures WHERE id = ?", (product_id,)).rowcount
                for product_id in ids
            )

    def forget(self, source: str) -> int:
        """Remove the failures and warnings of a source, and return how many failures there were."""
        with self._file.writing() as db:
            db.execute("DELETE FROM warnings WHERE source = ?", (source,))
            return db.execute("DELETE FROM failures WHERE source = ?", (source,)).rowcount

    def drop_resolved(self, source: str, run: int) -> None:
        """After a complete run over a source: failures that the run did not see again are gone."""
        with self._file.writing() as db:
            resolved = "DELETE FROM failures WHERE source = ? AND (run IS NULL OR run < ?)"
            db.execute(resolved, (source, run))

    def failed_elsewhere(self, source: str) -> list[str]:
        """Ids of products that failed in another catalogue than this one."""
        sql = "SELECT DISTINCT id FROM failures WHERE source NOT IN (?, ?) AND id != place"
        with self._file.reading() as db:
            return [row["id"] for row in db.execute(sql, (source, API))]

    def clear_elsewhere(self, source: str, ids: Iterable[str]) -> None:
        """Remove the failures that these products have in other catalogues: this one has them
        right, and exports are often named by their day."""
        sql = """DELETE FROM failures WHERE source NOT IN (?, ?)
            AND id IN (SELECT value FROM json_each(?))"""
        with self._file.writing() as db:
            db.execute(sql, (source, API, json.dumps(list(ids))))

    def entries(
        self,
        *,
        limit: int = 100,
        offset: int = 0,
        source: str | None = None,
        reason: str | None = None,
    ) -> tuple[tuple[Failure, ...], int]:
        """Failures, newest first, and how many there are in all, of one source or reason or all."""
        chosen = "(?1 IS NULL OR source = ?1) AND (?2 IS NULL OR reason = ?2)"
        with self._file.reading() as db:
            (total,) = db.execute(
                f"SELECT count(*) FROM failures WHERE {chosen}",  # noqa: S608  # a constant
                (source, reason),
            ).fetchone()
            rows = db.execute(
                f"SELECT {_FAILURE} FROM failures WHERE {chosen} "  # noqa: S608  # constants
                "ORDER BY number DESC LIMIT ?3 OFFSET ?4",
                (source, reason, limit, offset),
            ).fetchall()
        return tuple(_failure(row) for row in rows), int(total)

    def groups(self, *, source: str | None = None) -> tuple[FailureGroup, ...]:
        """The reasons that there are failures for, the commonest first."""
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT reason, count(*), min(number) FROM failures "
                "WHERE ?1 IS NULL OR source = ?1 GROUP BY reason ORDER BY count(*) DESC, reason",
                (source,),
            ).fetchall()
            return tuple(
                FailureGroup(reason, count, self._first(db, number), remedy_of(reason))
                for reason, count, number in rows
            )

    def warnings(
        self, *, limit: int = 100, offset: int = 0, source: str | None = None
    ) -> tuple[tuple[CatalogueWarning, ...], int]:
        """What was taken but looks odd, the commonest first, and how many remarks there are."""
        with self._file.reading() as db:
            (total,) = db.execute(
                "SELECT count(*) FROM warnings WHERE ?1 IS NULL OR source = ?1", (source,)
            ).fetchone()
            rows = db.execute(
                "SELECT reason, message, source, id, place, count, run, at FROM warnings "
                "WHERE ?1 IS NULL OR source = ?1 ORDER BY count DESC, reason, message "
                "LIMIT ?2 OFFSET ?3",
                (source, limit, offset),
            ).fetchall()
        return tuple(_warning(row) for row in rows), int(total)

    @staticmethod
    def _first(db: Any, number: int) -> Failure:
        query = f"SELECT {_FAILURE} FROM failures WHERE number = ?"  # noqa: S608  # a constant
        row = db.execute(query, (number,))
        return _failure(row.fetchone())

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

    def count_without_id(self, source: str, run: int) -> int:
        """How many rows failed in a run over a source without telling which product they are."""
        sql = "SELECT count(*) FROM failures WHERE source = ? AND run = ? AND id = place"
        with self._file.reading() as db:
            (count,) = db.execute(sql, (source, run)).fetchone()
            return int(count)

    def sources(self) -> dict[str, int]:
        """The sources with failures and how many each has."""
        with self._file.reading() as db:
            return dict(
                db.execute(
                    "SELECT source, count(*) FROM failures GROUP BY source ORDER BY source"
                ).fetchall()
            )


_FAILURE = "id, stage, reason, message, source, row, run, at, place"


def _failure(row: sqlite3.Row) -> Failure:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row is no mapping
    return Failure(**{**values, "at": datetime.fromisoformat(row["at"])})


def _warning(row: sqlite3.Row) -> CatalogueWarning:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row is no mapping
    return CatalogueWarning(**{**values, "at": datetime.fromisoformat(row["at"])})


def open_ledger(settings: DataSettings) -> Ledger:
    """The ledger below the data folder; `StorageUnavailable` when it cannot be used."""
    return Ledger(ingest_database(settings.data_dir))
