"""Snapshots: columns, vectors and indexes as files, for a start that only maps them.

They are derived: one that is missing, damaged or of another release's making is ignored, and made
again from the records. A snapshot is a folder of its own whose files are never changed: it is
written aside under a name that no one knows, and becomes current when the small file `newest` is
replaced to name it, in one step. A reader therefore sees the old one or the new one whole; a
crash leaves at most a folder that nothing names, which the next write removes. Who has mapped an
old one keeps it until he lets go, because the system keeps a removed file while it is mapped.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.stored import joined_arrays, loaded_columns
from vitrine.index.faiss.query.state import LiveSegment, State
from vitrine.index.faiss.segment import Segment, SnapshotParts, column_parts
from vitrine.index.faiss.vectors.build import (
    CODES,
    GRAPH,
    ONE_BIT,
    TEXT_CODES,
    BuildOptions,
    write_graph,
    write_one_bit,
    write_quantized,
)
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.one_bit import OneBitVectors
from vitrine.index.faiss.vectors.product_vectors import ProductVectors, Vectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.storage.array_file import (
    ArrayInParts,
    checksum,
    forget_pages,
    map_array,
    map_arrays,
    write_arrays,
)
from vitrine.storage.atomic import atomic_write

__all__ = ["FORMAT", "Snapshots"]

FORMAT = 13
"""Of files and columns; a snapshot of another format is made anew."""
MOST_DEAD = 0.2
"""Share of dead rows up to which a graph is continued with them; beyond, it is built anew."""

_CHUNK = 8192
_COLUMNS, _ABOUT, _NEWEST = "columns.bin", "about.json", "newest"
_VECTORS, _TEXTS = "vectors.f32", "texts.f32"
log = logging.getLogger(__name__)


class Snapshots:
    """The folder of one version's snapshots and the pointer to the newest."""

    def __init__(
        self, folder: Path, layout: Layout, *, dimension: int, options: BuildOptions
    ) -> None:
        self.folder = folder
        self.options = options
        self._layout = layout
        self._dimension = dimension
        self._newest = folder / _NEWEST
        self._read: tuple[tuple[int, int], str] | None = None

    def current(self) -> str | None:
        """The newest snapshot's name; microseconds."""
        try:
            stat = os.stat(self._newest)
            stamp = (stat.st_ino, stat.st_mtime_ns)
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, self._newest.read_text())
            return self._read[1]
        except (OSError, UnicodeDecodeError):
            return None  # it is made again from the records

    def load(self, name: str) -> State | None:
        """The state that a snapshot holds; None when it cannot be used."""
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
            return State((self._map(folder, about),), int(about["seq"]))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            log.warning(
                "snapshot %s cannot be used (%s); it is made again from the records", folder, error
            )
            with suppress(OSError, UnicodeDecodeError):
                if self._newest.read_text() == name:
                    self._newest.unlink()
            return None

    def _map(self, folder: Path, about: dict[str, Any]) -> LiveSegment:
        arrays = map_arrays(folder / _COLUMNS)
        seqs, live, offsets = (arrays.pop(name) for name in ("/seqs", "/live", "/pictures"))
        files = about["files"]
        pictures = ProductVectors(self._map_vectors(folder / _VECTORS, int(offsets[-1])), offsets)
        texts = None
        if _TEXTS in files:
            texts = ProductVectors.one_each(self._map_vectors(folder / _TEXTS, len(seqs)))
        quantized = QuantizedVectors(folder, CODES, pictures) if CODES[0] in files else None
        one_bit, graph = None, None
        if quantized is not None and ONE_BIT[0] in files:
            one_bit = OneBitVectors(folder, ONE_BIT, pictures, quantized)
        if quantized is not None and GRAPH in files:
            graph = Graph(folder / GRAPH, quantized)
        segment = Segment(
            seqs,
            pictures,
            loaded_columns(arrays, self._layout),
            texts=texts,
            snapshot=SnapshotParts(
                folder,
                quantized,
                QuantizedVectors(folder, TEXT_CODES, texts)
                if texts is not None and TEXT_CODES[0] in files
                else None,
                one_bit,
                graph,
            ),
        )
        return LiveSegment(segment, live)

    def write(self, state: State) -> str:
        """Write a snapshot of the state and make it the newest in one step.

        `OSError` when the disk refuses.
        """
        self._remove_all_but(self.current())  # what one that was killed has left takes room
        name = f"{state.seq:016d}-{uuid.uuid4().hex[:8]}"
        folder = self.folder / name
        folder.mkdir(parents=True)
        try:
            self._fill(folder, state)
            atomic_write(self._newest, name.encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._remove_all_but(name)
        return name

    def _remove_all_but(self, name: str | None) -> None:
        for other in self.folder.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)

    def _fill(self, folder: Path, state: State) -> None:
        in_all = sum(len(entry.segment.pictures.rows) for entry in state.segments)
        earlier = _continuable(state) if self.options.makes_graph(in_all) else None
        rows = [
            # a graph is continued with all its rows, dead ones as well
            np.arange(len(entry.live)) if earlier and i == 0 else np.flatnonzero(entry.live)
            for i, entry in enumerate(state.segments)
        ]
        segments = [entry.segment for entry in state.segments]
        pictures = [(segment.pictures, own) for segment, own in zip(segments, rows, strict=True)]
        texts = [(s.texts, own) for s, own in zip(segments, rows, strict=True) if s.texts]
        vectors = self._write_vectors(folder / _VECTORS, pictures)
        text_vectors = self._write_vectors(folder / _TEXTS, texts) if texts else None
        self._write_columns(folder, state, rows)
        if self.options.makes_quantized(len(vectors)):
            write_quantized(folder, CODES, vectors)
            if text_vectors is not None:
                write_quantized(folder, TEXT_CODES, text_vectors)
        if self.options.makes_one_bit(len(vectors)):
            write_one_bit(folder, vectors)
        if self.options.makes_graph(len(vectors)):
            write_graph(folder, self.options, earlier=earlier)
        about = {
            "format": FORMAT,
            "seq": state.seq,
            "dimension": self._dimension,
            "columns": list(self._layout),
            "files": {path.name: checksum(path) for path in folder.iterdir()},
        }
        atomic_write(folder / _ABOUT, json.dumps(about).encode())

    def _map_vectors(self, path: Path, count: int) -> Vectors:
        return map_array(path, np.float32, (count, self._dimension))

    def _write_vectors(self, path: Path, parts: Sequence[tuple[ProductVectors, Ints]]) -> Vectors:
        """Write the vectors of these products of each part, and map them."""
        count = 0
        with path.open("wb") as file:
            for vectors, products in parts:
                for start in range(0, len(products), _CHUNK):
                    rows = vectors.take(products[start : start + _CHUNK]).rows
                    file.write(np.ascontiguousarray(rows, np.float32).data)
                    count += len(rows)
                    forget_pages(vectors.rows)
        return self._map_vectors(path, count)

    def _write_columns(self, folder: Path, state: State, rows: Sequence[Ints]) -> None:
        entries = list(zip(state.segments, rows, strict=True))
        parts = [(e.segment.columns, e.segment.part(r)) for e, r in entries]
        lengths = np.concatenate([np.diff(e.segment.pictures.offsets)[r] for e, r in entries])

        def arrays() -> Iterator[tuple[str, NDArray[Any] | ArrayInParts]]:
            yield from joined_arrays(column_parts(parts, self._layout), self._layout)
            yield "/seqs", np.concatenate([e.segment.seqs[r] for e, r in entries])
            yield "/live", np.concatenate([e.live[r] for e, r in entries])
            yield "/pictures", np.concatenate(([0], np.cumsum(lengths)))

        write_arrays(folder / _COLUMNS, arrays())


def _continuable(state: State) -> Path | None:
    """The folder of the first segment, where it has a graph worth going on with."""
    first = state.segments[0]
    folder, dead = first.segment.folder, len(first.live) - int(np.count_nonzero(first.live))
    if first.segment.graph is None or folder is None or dead > MOST_DEAD * len(first.live):
        return None
    return folder if (folder / GRAPH).exists() else None
