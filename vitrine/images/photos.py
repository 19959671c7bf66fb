"""Shoppers' photos: kept for some hours in a folder of bounded size, under the SHA-256 of their
bytes."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vitrine.errors import NotFound, StorageUnavailable
from vitrine.settings import ImageSettings
from vitrine.storage.atomic import atomic_write

__all__ = ["KeptPhoto", "Photos"]

MOST_PHOTOS = 10_000
"""Photos at once, however small: going through the folder stays a matter of milliseconds."""
_TIDY_S = 60.0
_TIDY_PUTS = 100
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeptPhoto:
    """The key that a photo is found by, and until when."""

    key: str
    expires: datetime


class Photos:
    """Safe from several threads and processes that share the folder.

    Photos that are too old go, and the oldest where all together are too large: each process looks
    after that every minute, and after every hundredth photo.
    """

    def __init__(self, folder: Path, *, hours: float, most_bytes: int) -> None:
        self._folder = folder
        self._kept_s = 3600 * hours
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._tidied, self._puts, self._bytes = float("-inf"), 0, 0

    @classmethod
    def of(cls, settings: ImageSettings) -> Photos:
        """The photos under DATA_DIR/photos, within the limits of the settings."""
        most_bytes = int(settings.max_photos_mb * 1_000_000)
        return cls(settings.data_dir / "photos", hours=settings.photo_hours, most_bytes=most_bytes)

    def put(self, data: bytes) -> KeptPhoto:
        """Keep a photo; a photo that is there already counts as new again. `StorageUnavailable`."""
        key = hashlib.sha256(data).hexdigest()
        with _storage_errors("keep a photo"):
            path = self._path(key)
            if path.exists():
                os.utime(path)
            else:
                atomic_write(path, data)
            if self._is_time_to_tidy(len(data)):
                self._tidy()
        return KeptPhoto(key, datetime.fromtimestamp(time.time() + self._kept_s, UTC))

    def get(self, key: str) -> bytes:
        """The bytes of a photo; `NotFound` when it is not kept or it has expired."""
        if _KEY.fullmatch(key):
            with _storage_errors("read a photo"), suppress(FileNotFoundError):
                path = self._path(key)
                if time.time() - path.stat().st_mtime <= self._kept_s:
                    return path.read_bytes()
        raise NotFound(f"there is no photo with the key {key[:64]!r}, or it has expired")

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _is_time_to_tidy(self, size: int) -> bool:
        with self._lock:
            self._puts += 1
            self._bytes += size
            waits = time.monotonic() - self._tidied < _TIDY_S and self._puts < _TIDY_PUTS
            if waits and 16 * self._bytes < self._most_bytes:
                return False
            self._tidied, self._puts, self._bytes = time.monotonic(), 0, 0
            return True

    def _tidy(self) -> None:
        """Remove what is too old, then the oldest until the rest is small enough."""
        photos = sorted(self._walk(), reverse=True)
        oldest, total = time.time() - self._kept_s, 0
        for number, (modified, size, path) in enumerate(photos):
            total += size
            if modified < oldest or total > self._most_bytes or number >= MOST_PHOTOS:
                path.unlink(missing_ok=True)

    def _walk(self) -> Iterator[tuple[float, int, Path]]:
        """When each file was put, its size and where it is; leftovers of a crash as well."""
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # another process tidies, too
                known = path.stat()
                yield known.st_mtime, known.st_size, path


@contextmanager
def _storage_errors(deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"cannot {deed} now: {error.strerror or error}") from error
