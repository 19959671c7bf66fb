"""What a version has learnt of itself, as a file in its folder."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from vitrine.errors import IndexUnavailable
from vitrine.index.fusion import SearchModel
from vitrine.storage.atomic import atomic_write

__all__ = ["SEARCH_MODEL", "SearchModelFile"]

SEARCH_MODEL = "search-model.zip"


class SearchModelFile:
    """Written in one step, read again when it was replaced; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], SearchModel] | None = None
        self._lock = threading.Lock()

    def current(self) -> SearchModel | None:
        """The newest one, None before any; microseconds when it is known.

        `IndexUnavailable` when the file is damaged.
        """
        try:
            stat = os.stat(self._path)
        except FileNotFoundError:
            return None
        stamp = (stat.st_ino, stat.st_mtime_ns)
        with self._lock:
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, self._load())
            return self._read[1]

    def _load(self) -> SearchModel:
        try:
            return SearchModel.from_bytes(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise IndexUnavailable(
                f"{self._path} is damaged ({error}); run `vitrine learn`, which makes it anew"
            ) from error

    def write(self, model: SearchModel) -> None:
        """Store it, durably and in one step."""
        atomic_write(self._path, model.to_bytes())
