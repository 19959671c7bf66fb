"""CSV and TSV files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from ingest.sources.header import LOOKED_AT, Header, HeaderRules, find_header
from ingest.sources.lines import TextFile
from ingest.sources.ports import Record
from ingest.sources.quoting import Cells, records
from vitrine.errors import InvalidInput, SourceUnavailable
from vitrine.fields.source_table import SourceTable

__all__ = ["DelimitedReader"]


class DelimitedReader:
    """A file with a header line; all values are text.

    `expected` are columns that help to find the header among the first lines. The separator is the
    header's: comma, semicolon, tab or bar.
    """

    def __init__(self, path: Path, table: SourceTable, expected: frozenset[str]) -> None:
        self._file = TextFile(path, encoding=table.encoding)
        self._rules = HeaderRules(
            separator=table.separator or ("\t" if table.format == "tsv" else None),
            mark=None if table.quote == "none" else table.quote or '"',
            skip=table.skip_lines,
            expected=expected,
        )

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The header's names; `InvalidInput` when one that is needed stands there twice."""
        names = [name for name in self._header.names if name]
        repeated = sorted(name for name, count in Counter(names).items() if count > 1)
        used = [name for name in repeated if name in needed]
        if used:
            raise InvalidInput.of(
                "source",
                f"{self._file.path} has several columns named {', '.join(map(repr, used))}; "
                "rename them",
            )
        return tuple(dict.fromkeys(names))

    def count(self) -> int | None:
        """Lines after the header; line breaks within cells are counted too."""
        return max(0, self._file.breaks - self._header.lines)

    def share(self) -> float | None:
        """Unknown: the rows are counted."""
        return None

    def notes(self) -> tuple[str, ...]:
        """The guesses at the encoding and at the header."""
        encoding = self._file.encoding.note
        return (*((encoding,) if encoding else ()), *self._header.notes)

    def records(self) -> Iterator[Record]:
        """The rows by column name; empty cells, and missing ones at the end, are empty text."""
        header = self._header
        lines = self._file.lines()
        for _ in range(header.lines):
            next(lines, None)
        for record in records(lines, header.quoting, len(header.names), header.lines + 1):
            if record.error or any(cell.strip() for cell in record.cells):  # ";;;" is a blank line
                yield _record(header.names, record)

    @cached_property
    def _header(self) -> Header:
        first = list(islice(self._file.lines(), max(LOOKED_AT, self._rules.skip + 1)))
        header = find_header(first, self._rules)
        if header is None:
            raise SourceUnavailable.of(
                "source",
                f"{self._file.path} is empty; it needs a header line with the names of its columns",
            )
        skipped = [
            line for line in first[self._rules.skip : header.lines - 1] if line.strip(" \ufeff\t\n")
        ]
        if not skipped:
            return header
        lines = "line is" if len(skipped) == 1 else "lines are"
        note = (
            f"{len(skipped)} {lines} passed over before the names of the columns "
            f"in line {header.lines}"
        )
        return replace(header, notes=(note,))


def _record(names: tuple[str, ...], record: Cells) -> Record:
    where = f"row {record.row}"
    cells = record.cells
    if record.error:
        return Record(where, error=record.error)
    if any(cell.strip() for cell in cells[len(names) :]):
        message = (
            f"the line has {len(cells)} values, but the header names {len(names)} columns; "
            "put values with a separator in quotes"
        )
        return Record(where, error=message)
    values = dict.fromkeys(filter(None, names), "")
    for name, cell in zip(names, cells, strict=False):
        if name and not values[name]:
            # ="0046" is how a spreadsheet is told to keep zeros
            values[name] = cell[2:-1] if cell[:2] == '="' and cell[-1:] == '"' else cell
    return Record(where, values)
