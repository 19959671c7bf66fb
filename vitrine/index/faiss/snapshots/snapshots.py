"""Snapshots: columns, vectors and indexes as files beside the records, so that a process starts by mapping them.

They are derived: one that is missing, damaged or of another program's making is ignored, and made again from the records.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.query.state import Part
from vitrine.index.faiss.segment import Segment, merge_columns
from vitrine.index.faiss.vectors.build import (
    CODES,
    CODES_ABOUT,
    GRAPH,
    ROWS,
    Coding,
    write_codes,
    write_graph,
)
from vitrine.index.faiss.vectors.exact import Vectors
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.quantized import Codes
from vitrine.storage.array_file import checksum, map_array, map_arrays, write_arrays
from vitrine.storage.atomic import atomic_write

__all__ = ["FORMAT", "Snapshots"]

FORMAT = 5
"""Of files and columns; a snapshot of another format is made anew."""
MOST_DEAD = 0.2
"""Share of replaced and deleted rows up to which a graph is continued with them; beyond, it is built anew."""

_CHUNK = 8192
_COLUMNS, _VECTORS, _ABOUT, _NEWEST = "columns.bin", "vectors.f32", "about.json", "newest"
log = logging.getLogger(__name__)


class Snapshots:
    """The folder of one version's snapshots and the pointer to the newest."""

    def __init__(self, folder: Path, layout: Layout, *, dimension: int, coding: Coding) -> None:
        self.folder = folder
        self.coding = coding
        self._layout = layout
        self._dimension = dimension
        self._newest = folder / _NEWEST
        self._known: tuple[tuple[int, int], str] | None = None

    def current(self) -> str | None:
        """The newest snapshot's name; microseconds."""
        try:
            stat = os.stat(self._newest)
            stamp = (stat.st_ino, stat.st_mtime_ns)
            known = self._known
            if known is None or known[0] != stamp:
                known = self._known = (stamp, self._newest.read_text())
            return known[1]
        except OSError:
            return None

    def load(self, name: str) -> tuple[Part, int] | None:
        """A snapshot's rows and the last write it knows; None when it cannot be used."""
        folder = self.folder / name
        try:
            about = json.loads((folder / _ABOUT).read_text())
            if (about["format"], about["dimension"], about["columns"]) != (
                FORMAT,
                self._dimension,
                list(self._layout),
            ):
                raise ValueError("made by another release, or for other fields")
            for file, expected in about["files"].items():
                if checksum(folder / file) != expected:
                    raise ValueError(f"{file} is damaged")
            return self._map(folder, about), int(about["seq"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            log.warning(
                "snapshot %s cannot be used (%s); it is made again from the records", folder, error
            )
            with suppress(OSError):
                if self._newest.read_text() == name:
                    self._newest.unlink()
            return None

    def _map(self, folder: Path, about: dict[str, Any]) -> Part:
        arrays = map_arrays(folder / _COLUMNS)
        seqs, alive = arrays.pop("/seqs"), arrays.pop("/alive")
        columns = {
            name: kind.load(
                {
                    key.rpartition("/")[2]: array
                    for key, array in arrays.items()
                    if key.rpartition("/")[0] == name
                }
            )
            for name, kind in self._layout.items()
        }
        segment = Segment(
            seqs,
            map_array(folder / _VECTORS, np.float32, (len(seqs), self._dimension)),
            columns,
            home=folder,
        )
        if CODES in about["files"]:
            segment.codes = Codes(folder / CODES, folder / CODES_ABOUT)
        if GRAPH in about["files"]:
            segment.graph = Graph(folder / GRAPH, folder / ROWS)
        return Part(segment, alive)

    def write(
        self, parts: Sequence[Part], *, seq: int, check: Callable[[], None] = lambda: None
    ) -> str:
        """Write a snapshot of these parts and make it the newest in one step.

        `OSError` when the disk refuses; whatever `check` raises stops the writing.
        """
        name = f"{seq:016d}-{uuid.uuid4().hex[:8]}"
        folder = self.folder / name
        folder.mkdir(parents=True)
        try:
            self._fill(folder, parts, seq=seq, check=check)
            atomic_write(self._newest, name.encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for other in self.folder.iterdir():  # who has mapped an old one keeps it
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)
        return name

    def _fill(
        self, folder: Path, parts: Sequence[Part], *, seq: int, check: Callable[[], None]
    ) -> None:
        earlier = _continuable(parts)
        taken = [
            (
                p.segment,
                np.arange(len(p.segment)) if earlier and i == 0 else np.flatnonzero(p.alive),
            )
            for i, p in enumerate(parts)
        ]
        with (folder / _VECTORS).open("wb") as file:
            for segment, rows in taken:
                for start in range(0, len(rows), _CHUNK):
                    np.ascontiguousarray(
                        segment.vectors[rows[start : start + _CHUNK]], np.float32
                    ).tofile(file)
        check()
        columns = merge_columns([(segment.columns, rows) for segment, rows in taken], self._layout)
        arrays = {
            f"{name}/{key}": array
            for name, column in columns.items()
            for key, array in column.arrays().items()
        }
        arrays["/seqs"] = np.concatenate([segment.seqs[rows] for segment, rows in taken])
        arrays["/alive"] = np.concatenate(
            [p.alive[rows] for p, (_, rows) in zip(parts, taken, strict=True)]
        )
        write_arrays(folder / _COLUMNS, arrays)
        vectors: Vectors = map_array(
            folder / _VECTORS, np.float32, (len(arrays["/seqs"]), self._dimension)
        )
        if len(vectors) >= self.coding.codes_from:
            write_codes(folder, vectors, check=check)
        if len(vectors) >= self.coding.graph_from:
            write_graph(folder, vectors, self.coding, earlier=earlier, check=check)
        files = {path.name: checksum(path) for path in folder.iterdir()}
        about = {
            "format": FORMAT,
            "seq": seq,
            "dimension": self._dimension,
            "columns": list(self._layout),
            "files": files,
        }
        atomic_write(folder / _ABOUT, json.dumps(about).encode())


def _continuable(parts: Sequence[Part]) -> Path | None:
    """The folder of the first part, where it has a graph worth going on with."""
    first = parts[0]
    dead = len(first.alive) - int(np.count_nonzero(first.alive))
    if (
        first.segment.graph is None
        or first.segment.home is None
        or dead > MOST_DEAD * len(first.alive)
    ):
        return None
    return first.segment.home if (first.segment.home / GRAPH).exists() else None
