"""CSV and TSV files."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from ingest.sources.lines import TextFile
from ingest.sources.ports import Record
from vitrine.errors import InvalidInput

__all__ = ["DelimitedReader"]

_SEPARATORS = ",;\t|"
_SPREADSHEETS = "cp1252"
"""What spreadsheet programs in the West write where it is not Unicode."""
_MAX_CELL = 1_000_000
"""Characters of one cell; more is a quotation mark that was never closed."""


class DelimitedReader:
    """A file with a header line; all values are text. The separator is the header's: comma, semicolon, tab or bar."""

    def __init__(self, path: Path, data_dir: Path) -> None:
        self._file = TextFile(path, data_dir, otherwise=_SPREADSHEETS)

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The header's names."""
        return self._header(self._file.lines())[0]

    def count(self) -> int | None:
        """Lines after the header; line breaks within cells are counted too."""
        return max(0, self._file.breaks - 1)

    def records(self) -> Iterator[Record]:
        """The rows by column name; empty cells are empty text."""
        lines = self._file.lines()
        header, separator = self._header(lines)
        reader = csv.reader(lines, delimiter=separator)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield f"the line cannot be read as CSV ({error}); look for a quotation mark that is not closed"
            else:
                if cells:
                    yield _record(header, cells)

    def _header(self, lines: Iterator[str]) -> tuple[list[str], str]:
        first = next(lines, "")
        separator = max(_SEPARATORS, key=_outside_quotes(first).count)
        csv.field_size_limit(_MAX_CELL)
        header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
        self._check(header)
        return header, separator

    def _check(self, header: list[str]) -> None:
        twice = sorted({name for name in header if header.count(name) > 1})
        if not any(header):
            raise InvalidInput.of(
                "source",
                f"{self._file.path} is empty; it needs a header line with the names of its columns",
            )
        if twice:
            raise InvalidInput.of(
                "source",
                f"{self._file.path} has several columns named {', '.join(map(repr, twice))}; rename them",
            )


def _record(header: list[str], cells: list[str]) -> Record:
    if len(cells) != len(header):
        return f"the line has {len(cells)} values, but the header names {len(header)} columns; put values with a separator in quotes"
    return dict(zip(header, cells, strict=True))


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])
