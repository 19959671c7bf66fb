"""What a version has learnt of itself, as a file in its folder."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from vitrine.index.fusion import SearchModel
from vitrine.storage.atomic import atomic_write

__all__ = ["SEARCH_MODEL", "SearchModelFile"]

SEARCH_MODEL = "search-model.zip"

log = logging.getLogger(__name__)


class SearchModelFile:
    """Written in one step, read again when it was replaced; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], SearchModel | None] | None = None
        self._lock = threading.Lock()

    def current(self) -> SearchModel | None:
        """The newest one, None before any; microseconds when it is known.

        It is derived: one that is damaged, or of another release's making, counts as none, which
        the log tells once; the next ingest, or `vitrine learn`, makes it anew.
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

    def _load(self) -> SearchModel | None:
        try:
            return SearchModel.from_bytes(self._path.read_bytes())
        except (OSError, ValueError) as error:
            log.warning(
                "%s cannot be used (%s), so words do not count; `vitrine learn` makes it anew",
                self._path,
                error,
            )
            return None

    def write(self, model: SearchModel) -> None:
        """Store it, durably and in one step."""
        atomic_write(self._path, model.to_bytes())
