"""The file that names the live version."""

from __future__ import annotations

import os
from pathlib import Path

from vitrine.errors import IndexUnavailable
from vitrine.index.version_rules import is_version_name
from vitrine.storage.atomic import atomic_write

__all__ = ["LivePointer"]


class LivePointer:
    """Replaced in one step by whoever publishes; reading costs microseconds while it stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], str] | None = None

    def name(self) -> str | None:
        """The live version's name, None before the first publish; `IndexUnavailable` on errors."""
        try:
            stat = os.stat(self._path)
            stamp = (stat.st_ino, stat.st_mtime_ns)
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, self._content())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IndexUnavailable(
                f"{self._path} cannot be read ({error.strerror or error}); check its permissions"
            ) from error
        return self._read[1]

    def readable_name(self) -> str | None:
        """The live version's name for those who list or mend: None as well when it is damaged."""
        try:
            return self.name()
        except IndexUnavailable:
            return None

    def _content(self) -> str:
        name = self._path.read_bytes().decode("ascii", "replace").strip()
        if not is_version_name(name):
            raise IndexUnavailable(
                f"{self._path} is damaged and names no version; put one there again with"
                " `vitrine publish VERSION` (`vitrine versions` lists them)"
            )
        return name

    def replace(self, name: str) -> None:
        """Point to another version, durably."""
        atomic_write(self._path, name.encode())
