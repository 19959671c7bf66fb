"""A folder of images."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from ingest.sources.ports import BrokenRow, LeftOutRow, Row

__all__ = ["IMAGE_ENDINGS", "FolderSource"]

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif"),
)


class FolderSource:
    """Every image below a folder, hidden ones left out; the folders it lies in are its category.

    Columns: path (relative to the folder), name (the file's, without ending), category (Men/Tops),
    image (its path). Own walk instead of the `imagefolder` of `datasets`, which gives the innermost
    folder only, takes folders named train or test for splits, and lists all files before the first
    row.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The absolute path."""
        return str(self._folder)

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """Always the same."""
        return ("path", "name", "category", "image")

    def count(self) -> int | None:
        """The files, by walking the folder once."""
        return sum(1 for _ in self._paths())

    def share(self) -> float | None:
        """Unknown: the rows are counted."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing is guessed."""
        return ()

    def detached(self) -> FolderSource:
        """Any process can read the folder."""
        return self

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """One row per image, ordered by path."""
        for number, path in enumerate(self._paths()):
            name = path.stem.replace("_", " ").replace("-", " ").strip() or path.name
            category = "" if path.parent == Path(".") else path.parent.as_posix()
            yield Row(
                number,
                {
                    "path": path.as_posix(),
                    "name": name,
                    "category": category,
                    "image": path.as_posix(),
                },
                self._folder,
                path.as_posix(),
            )

    def _paths(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self._folder):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and file.lower().endswith(IMAGE_ENDINGS):
                    yield (Path(folder) / file).relative_to(self._folder)
