"""One or many local files as one source."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from ingest.sources.formats import reader_of
from ingest.sources.ports import BrokenRow, LeftOutRow, Reader, Row
from vitrine.fields.source_table import SourceTable

__all__ = ["FilesSource", "matching"]


def matching(pattern: str) -> list[Path]:
    """The files of a path or glob, in order of name."""
    if Path(pattern).is_file():
        return [Path(pattern)]
    paths = map(Path, glob.glob(pattern, recursive=True))
    return sorted(path for path in paths if path.is_file())


class FilesSource:
    """Files in order of name, read one after the other."""

    def __init__(
        self, name: str, files: Sequence[Path], table: SourceTable, expected: frozenset[str]
    ) -> None:
        self._name = name
        self._files = tuple(files)
        self._table = table
        self._expected = expected
        self._at = 0

    @property
    def name(self) -> str:
        """The absolute path or glob."""
        return self._name

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The columns of all files together.

        Files are opened until all that are needed have been seen.
        """
        columns: dict[str, None] = {}
        for reader in self._readers:
            columns.update(dict.fromkeys(reader.columns(needed)))
            if columns.keys() >= set(needed):
                break
        return tuple(columns)

    def count(self) -> int | None:
        """The sum over all files, None when one of them cannot tell."""
        counts = [reader.count() for reader in self._readers]
        return None if None in counts else sum(c for c in counts if c is not None)

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows of all files, numbered throughout.

        Relative paths begin at the row's own file.
        """
        number = 0
        for at, (path, reader) in enumerate(zip(self._files, self._readers, strict=True)):
            self._at = at
            base = path.parent
            for record in reader.records():
                place = f"{path.name}, {record.place}" if len(self._files) > 1 else record.place
                if record.values is None:
                    yield BrokenRow(number, f"{path.name}: {record.error}", place)
                else:
                    yield Row(number, record.values, base, place)
                number += 1

    def share(self) -> float | None:
        """The share that has been read, 0 to 1, by the sizes of the files."""
        reading = self._readers[self._at].share()
        if reading is None:
            return None
        sizes = self._sizes
        total = sum(sizes)
        return (sum(sizes[: self._at]) + reading * sizes[self._at]) / total if total else None

    def notes(self) -> tuple[str, ...]:
        """The notes of each file, with its name."""
        return tuple(
            f"{path.name}: {note}"
            for path, reader in zip(self._files, self._readers, strict=True)
            for note in reader.notes()
        )

    def detached(self) -> FilesSource:
        """Any process can read the files; what was found out about them goes along."""
        return self

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(path.stat().st_size for path in self._files)

    @cached_property
    def _readers(self) -> tuple[Reader, ...]:
        return tuple(reader_of(path, self._table, self._expected) for path in self._files)
