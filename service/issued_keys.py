"""The list of search keys that were issued, and which of them are revoked.

`DATA_DIR/search-keys.json` holds all of a key but its signature, so it grants no access. Serving
processes read the revoked keys from it, and check at most once a second whether it has changed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

from filelock import FileLock

from vitrine.errors import InvalidSettings, NotFound
from vitrine.storage.atomic import atomic_write

__all__ = ["IssuedKey", "IssuedKeys", "RevokedKeys"]

_FILE = "search-keys.json"
_LOCK_S = 10.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """What is remembered of a key; times in ISO 8601, `revoked` None while it is valid."""

    id: str
    name: str
    filters: list[str]
    rate: float | None
    created: str
    expires: str | None
    revoked: str | None = None


class IssuedKeys:
    """The keys that were made with one data folder; safe to use from several processes."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / _FILE

    def entries(self) -> list[IssuedKey]:
        """All of them, oldest first; `InvalidSettings` for a damaged list."""
        try:
            return [IssuedKey(**entry) for entry in json.loads(self.path.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            raise InvalidSettings.of(
                "VITRINE_DATA_DIR",
                f"the list of search keys, {_FILE}, is damaged ({error}); put a copy back, or "
                "remove it: then revoked keys are valid again",
            ) from None

    def remember(self, key: IssuedKey) -> None:
        """Add a key, or put it in the place of the one with its id."""
        with self._locked():
            self._write([*(each for each in self.entries() if each.id != key.id), key])

    def revoke(self, key_id: str, *, at: str) -> IssuedKey:
        """Revoke a key; `NotFound` for an id that is not in the list."""
        with self._locked():
            keys = self.entries()
            for place, key in enumerate(keys):
                if key.id == key_id:
                    keys[place] = replace(key, revoked=key.revoked or at)
                    self._write(keys)
                    return keys[place]
        raise NotFound(f"no key with the id {key_id!r} was made here")

    def _locked(self) -> FileLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{self.path}.lock", timeout=_LOCK_S)

    def _write(self, keys: list[IssuedKey]) -> None:
        atomic_write(self.path, json.dumps([asdict(key) for key in keys], indent=1).encode())


class RevokedKeys:
    """Which keys are revoked, as a serving process knows it: up to a second late.

    `always` are ids that are revoked wherever the list lies.
    """

    def __init__(
        self,
        issued: IssuedKeys,
        *,
        always: frozenset[str] = frozenset(),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._issued = issued
        self._always = always
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._state: tuple[int, int, int] | None = None
        self._revoked: frozenset[str] = frozenset()

    def __contains__(self, key_id: object) -> bool:
        """Whether the key of an id is revoked; `InvalidSettings` for a damaged list."""
        if self._clock() - self._looked >= _LOOK_S:
            with self._lock:
                self._look()
        return key_id in self._always or key_id in self._revoked

    def _look(self) -> None:
        state = self._state_of_file()
        if state != self._state:
            listed = self._issued.entries()
            self._revoked = frozenset(key.id for key in listed if key.revoked is not None)
            self._state = state
        self._looked = self._clock()

    def _state_of_file(self) -> tuple[int, int, int] | None:
        """What changes whenever the file is another; None without one."""
        try:
            status = self._issued.path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
