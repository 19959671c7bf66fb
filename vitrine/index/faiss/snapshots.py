"""Snapshots: columns and vectors as files beside the records, so that a process starts by mapping them.

They are derived: one that is missing, damaged or of another program's making is ignored, and made again from the records.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from vitrine.files import write_whole
from vitrine.index.faiss.layout import Layout
from vitrine.index.faiss.pack import checksum, map_array, map_arrays, write_arrays
from vitrine.index.faiss.ragged import Ints
from vitrine.index.faiss.segment import Columns, Segment, merge_columns

__all__ = ["FORMAT", "Snapshots"]

FORMAT = 1
"""Of files and columns; a snapshot of another format is made anew."""

_CHUNK = 8192
log = logging.getLogger(__name__)


class Snapshots:
    """The folder of one version's snapshots and the pointer to the newest."""

    def __init__(self, folder: Path, layout: Layout, *, dimension: int) -> None:
        self.folder = folder
        self._pointer = folder / "newest"
        self._layout = layout
        self._dimension = dimension
        self._known: tuple[tuple[int, int], str] | None = None

    def current(self) -> str | None:
        """The newest snapshot's name; microseconds."""
        try:
            stat = os.stat(self._pointer)
            stamp = (stat.st_ino, stat.st_mtime_ns)
            if self._known is None or self._known[0] != stamp:
                self._known = (stamp, self._pointer.read_text())
            return self._known[1]
        except OSError:
            return None

    def load(self, name: str) -> tuple[Segment, int] | None:
        """A snapshot's rows and the last write it knows; None when it cannot be used."""
        folder = self.folder / name
        try:
            about = json.loads((folder / "about.json").read_text())
            if (about["format"], about["dimension"], about["columns"]) != (FORMAT, self._dimension, list(self._layout)):
                raise ValueError("made for other columns")
            for file, expected in about["files"].items():
                if checksum(folder / file) != expected:
                    raise ValueError(f"{file} is damaged")
            return self._map(folder), int(about["seq"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("snapshot %s cannot be used (%s); it is made again from the records", folder, error)
            with suppress(OSError):
                if self._pointer.read_text() == name:
                    self._pointer.unlink()
            return None

    def _map(self, folder: Path) -> Segment:
        arrays = map_arrays(folder / "columns.bin")
        seqs = arrays.pop("/seqs")
        columns = {
            name: kind.load({key.rpartition("/")[2]: array for key, array in arrays.items() if key.rpartition("/")[0] == name})
            for name, kind in self._layout.items()
        }
        return Segment(seqs, map_array(folder / "vectors.f32", np.float32, (len(seqs), self._dimension)), columns)

    def write(self, parts: Sequence[tuple[Segment, Ints]], *, seq: int) -> str:
        """Write a snapshot of these rows and make it the newest in one step; `OSError` when the disk refuses."""
        name = f"{seq:016d}-{uuid.uuid4().hex[:8]}"
        folder = self.folder / name
        folder.mkdir(parents=True)
        try:
            self._fill(folder, parts, seq)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        write_whole(self._pointer, name.encode())
        for other in self.folder.iterdir():  # who has mapped an old one keeps it
            if other.is_dir() and other.name < name:
                shutil.rmtree(other, ignore_errors=True)
        return name

    def _fill(self, folder: Path, parts: Sequence[tuple[Segment, Ints]], seq: int) -> None:
        with (folder / "vectors.f32").open("wb") as file:
            for segment, rows in parts:
                for start in range(0, len(rows), _CHUNK):
                    np.ascontiguousarray(segment.vectors[rows[start : start + _CHUNK]], np.float32).tofile(file)
        columns: Columns = merge_columns([(segment.columns, rows) for segment, rows in parts], self._layout)
        arrays = {f"{name}/{key}": array for name, column in columns.items() for key, array in column.arrays().items()}
        arrays["/seqs"] = np.concatenate([segment.seqs[rows] for segment, rows in parts])
        write_arrays(folder / "columns.bin", arrays)
        files = {path.name: checksum(path) for path in folder.iterdir()}
        about = {"format": FORMAT, "seq": seq, "dimension": self._dimension, "columns": list(self._layout), "files": files}
        write_whole(folder / "about.json", json.dumps(about).encode())
