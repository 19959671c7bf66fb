"""What hosts said about fetched pictures, so that they need not send them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vitrine.storage.sqlite import SQLiteFile

__all__ = ["AddressBook", "KnownAddress", "KnownAddresses"]


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """A picture that was fetched: its key in the image store, and how the host marked it."""

    image_key: str
    etag: str | None
    last_modified: str | None

    def conditions(self) -> tuple[tuple[str, str], ...]:
        """Headers that ask for the picture only where it is another one (RFC 9110, 13.1)."""
        marks = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in marks if value)


class KnownAddresses(Protocol):
    """What a `PoliteFetcher` looks up before, and records after, a fetch."""

    def find(self, url: str) -> KnownAddress | None: ...

    def note(self, url: str, known: KnownAddress) -> None: ...


class AddressBook:
    """Addresses of pictures, in the ingest database."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file

    def find(self, url: str) -> KnownAddress | None:
        """What is known of an address."""
        with self._file.reading() as db:
            row = db.execute(
                "SELECT image_key, etag, last_modified FROM addresses WHERE url = ?", (url,)
            ).fetchone()
        return None if row is None else KnownAddress(*row)

    def note(self, url: str, known: KnownAddress) -> None:
        """Remember what an address gave; one that its host does not mark is forgotten."""
        with self._file.writing() as db:
            if not known.conditions():
                db.execute("DELETE FROM addresses WHERE url = ?", (url,))
                return
            db.execute(
                "INSERT OR REPLACE INTO addresses (url, image_key, etag, last_modified) "
                "VALUES (?, ?, ?, ?)",
                (url, known.image_key, known.etag, known.last_modified),
            )
