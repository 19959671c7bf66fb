"""One or many local files as one source."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ingest.sources.delimited import DelimitedReader
from ingest.sources.jsons import JsonArrayReader, JsonLinesReader, starts_list
from ingest.sources.parquet import ParquetReader
from ingest.sources.ports import BrokenRow, Reader, Row
from vitrine.errors import InvalidInput

__all__ = ["FORMATS", "FilesSource", "format_of", "matching"]

_COMPRESSED = (".gz", ".bz2", ".xz")


def _json(path: Path, data_dir: Path) -> Reader:
    return JsonArrayReader(path) if starts_list(path) else JsonLinesReader(path, data_dir)


FORMATS: Mapping[str, Callable[[Path, Path], Reader]] = {
    ".parquet": lambda path, _: ParquetReader(path),
    ".csv": DelimitedReader,
    ".tsv": DelimitedReader,
    ".jsonl": JsonLinesReader,
    ".ndjson": JsonLinesReader,
    ".json": _json,
}
"""File name ending -> reader."""


def format_of(path: Path) -> str | None:
    """The ending that says how to read the file (products.csv.gz is .csv), None for none of ours."""
    name = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    return name.suffix.lower() if name.suffix.lower() in FORMATS else None


def matching(pattern: str) -> list[Path]:
    """The files of a path or glob, in order of name."""
    if Path(pattern).is_file():
        return [Path(pattern)]
    return sorted(
        Path(found) for found in glob.glob(pattern, recursive=True) if Path(found).is_file()
    )


class FilesSource:
    """Files in order of name, read one after the other."""

    def __init__(self, name: str, files: Sequence[Path], data_dir: Path) -> None:
        self._name = name
        self._files = tuple((path, partial(self._reader, path, data_dir)) for path in files)

    @property
    def name(self) -> str:
        """The absolute path or glob."""
        return self._name

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The columns of all files together; files are opened until all that are wanted have been seen."""
        found: dict[str, None] = {}
        for _, reader in self._files:
            found.update(dict.fromkeys(reader().columns(wanted)))
            if found.keys() >= set(wanted):
                break
        return tuple(found)

    def count(self) -> int | None:
        """The sum over all files, None when one of them cannot tell."""
        counts = [reader().count() for _, reader in self._files]
        return None if None in counts else sum(c for c in counts if c is not None)

    def rows(self) -> Iterator[Row | BrokenRow]:
        """The rows of all files, numbered throughout; relative paths begin at the row's own file."""
        number = 0
        for path, reader in self._files:
            for record in reader().records():
                yield (
                    BrokenRow(number, f"{path.name}: {record}")
                    if isinstance(record, str)
                    else Row(number, record, path.parent)
                )
                number += 1

    @staticmethod
    def _reader(path: Path, data_dir: Path) -> Reader:
        kind = format_of(path)
        if kind is None:
            raise InvalidInput.of("source", f"{path} is none of the formats {', '.join(FORMATS)}")
        return FORMATS[kind](path, data_dir)
