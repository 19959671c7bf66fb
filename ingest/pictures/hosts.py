"""What an ingest knows about hosts: what they said of pictures, and how often they may be asked.

All who fetch for one ingest share it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from vitrine.storage.sqlite import SQLiteFile

__all__ = ["AddressBook", "HostGate", "HostPlaces", "KnownAddress", "KnownAddresses"]

_GIVEN_UP = 3
"""Pictures that failed in spite of all attempts before a host gets one attempt for each."""


@dataclass
class _Host:
    """What is known about a host: when its places become free at the latest, when to ask again, and
    how many attempts failed."""

    places: dict[str, float] = field(default_factory=dict)
    not_before: float = 0.0
    in_vain: int = 0


class HostGate(Protocol):
    """Whom a `PoliteFetcher` asks before it asks a host."""

    def enter(self, host: str, place: str) -> float:
        """Take a place at a host under a name of one's own: 0.0 when taken, else the seconds after
        which to ask again."""
        ...

    def leave(self, host: str, place: str) -> None:
        """Give a place back."""
        ...

    def pause(self, host: str, seconds: float) -> None:
        """Give nobody a place at the host for that many seconds."""
        ...

    def tell(self, host: str, *, answered: bool) -> None:
        """Note whether a host answered in the end, or all attempts failed."""
        ...

    def attempts(self, host: str, most: int) -> int:
        """How often to try: `most`, and once where a host has given nothing for long."""
        ...


class HostPlaces:
    """Places at hosts within one process; safe to use from several threads.

    At most `per_host` requests are under way at a host. A place that is not given back (its process
    was killed) falls free after `lease_s`.
    """

    MODERATE_S = 0.02
    """Seconds between looks for a free place."""

    def __init__(self, per_host: int, *, lease_s: float) -> None:
        self._per_host, self._lease_s = per_host, lease_s
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def enter(self, host: str, place: str) -> float:
        """Take a place: 0.0, or the seconds after which to ask again."""
        now = time.monotonic()
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            if state.not_before > now:
                return max(state.not_before - now, self.MODERATE_S)
            state.places = {name: until for name, until in state.places.items() if until > now}
            if len(state.places) >= self._per_host:
                return self.MODERATE_S
            state.places[place] = now + self._lease_s
            return 0.0

    def leave(self, host: str, place: str) -> None:
        """Give a place back."""
        with self._lock:
            self._hosts.setdefault(host, _Host()).places.pop(place, None)

    def pause(self, host: str, seconds: float) -> None:
        """Give nobody a place at the host for that many seconds."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            state.not_before = max(state.not_before, time.monotonic() + seconds)

    def tell(self, host: str, *, answered: bool) -> None:
        """Note how asking the host ended."""
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            state.in_vain = 0 if answered else state.in_vain + 1

    def attempts(self, host: str, most: int) -> int:
        """How often to try the host."""
        with self._lock:
            return most if self._hosts.setdefault(host, _Host()).in_vain < _GIVEN_UP else 1


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
