"""Spreadsheets (.xlsx), read row by row."""

from __future__ import annotations

import io
import tempfile
import warnings
import zlib
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any, overload
from zipfile import BadZipFile

from ingest.sources.archive import check_archive
from ingest.sources.binary import ReadMeter
from ingest.sources.header import LOOKED_AT
from ingest.sources.ports import Record
from vitrine.errors import InvalidInput, SourceUnavailable
from vitrine.extras import needs
from vitrine.fields.source_table import SourceTable

__all__ = ["SpreadsheetReader"]


_DAMAGE = (
    *(BadZipFile, zlib.error, EOFError, OSError),
    *(KeyError, IndexError, TypeError, ValueError, SyntaxError),
)
"""What openpyxl, zipfile and the XML parser (a SyntaxError) raise for a file that is not sound."""


class SpreadsheetReader:
    """The first sheet, or the one that the mapping names; its first row with text is the header."""

    def __init__(self, path: Path, table: SourceTable, expected: frozenset[str]) -> None:
        self._path = path
        self._table = table
        self._expected = expected
        self._meter = ReadMeter(path)

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The header's names."""
        return tuple(dict.fromkeys(name for name in self._header[1] if name))

    def count(self) -> int | None:
        """Unknown: a sheet's stated size is often wrong."""
        return None

    def share(self) -> float | None:
        """How much of the file's bytes has been read."""
        return self._meter.share

    def notes(self) -> tuple[str, ...]:
        """Which row was taken for the header, where it is not the first."""
        row, _ = self._header
        return (f"the names of the columns are taken from row {row}",) if row > 1 else ()

    def records(self) -> Iterator[Record]:
        """The rows by column name; numbers, truths and times keep their types."""
        place, names = self._header
        with self._sheet() as rows:
            for row, cells in enumerate(_whole(rows), start=1):
                if isinstance(cells, str):
                    yield Record(f"row {row}", error=cells)
                    return
                if row <= place or not any(cell not in (None, "") for cell in cells):
                    continue
                values: dict[str, Any] = dict.fromkeys(filter(None, names))
                for name, cell in zip(names, cells, strict=False):
                    if name and values[name] in (None, ""):
                        values[name] = cell.isoformat() if isinstance(cell, datetime) else cell
                yield Record(f"row {row}", values)

    @cached_property
    def _header(self) -> tuple[int, tuple[str, ...]]:
        """The header's row, and its names."""
        with self._sheet() as rows:
            first = [
                (row, tuple("" if cell is None else str(cell).strip() for cell in cells))
                for row, cells in enumerate(
                    islice(_whole(rows), LOOKED_AT + self._table.skip_lines), 1
                )
                if not isinstance(cells, str)
            ]
        candidates = [
            (row, names)
            for row, names in first
            if row > self._table.skip_lines and sum(map(bool, names)) > 1
        ] or [(row, names) for row, names in first if any(names)]
        if not candidates:
            raise SourceUnavailable.of(
                "source", f"{self._path} is empty; its first row names columns"
            )
        best = max(candidates, key=lambda candidate: len(self._expected & set(candidate[1])))
        return best if self._expected & set(best[1]) else candidates[0]

    @contextmanager
    def _sheet(self) -> Iterator[Iterator[tuple[Any, ...]]]:
        check_archive(self._path)
        with tempfile.TemporaryFile() as strings, self._meter.open_unbuffered() as file:
            try:
                book = _open(file, strings)
            except _DAMAGE as error:
                raise InvalidInput.of(
                    "source", f"{self._path} cannot be read as a spreadsheet (.xlsx): {error}"
                ) from None
            try:
                sheet = self._named(book)
                sheet.reset_dimensions()  # the size that a file states is often wrong
                self._meter.begin()  # openpyxl looks through a sheet that does not state it
                yield sheet.iter_rows(values_only=True)
            finally:
                book.close()

    def _named(self, book: Any) -> Any:
        name = self._table.sheet
        if name is None:
            return book.worksheets[0]
        if name not in book.sheetnames:
            sheets = ", ".join(map(repr, book.sheetnames))
            raise InvalidInput.of("source", f"{self._path} has no sheet {name!r}; it has {sheets}")
        return book[name]


def _whole(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...] | str]:
    """The rows, and where the file is damaged what is wrong as the last one."""
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except _DAMAGE as error:
            yield f"the file is damaged from here on: {error}"
            return
        yield cells


def _open(file: io.RawIOBase, strings: IO[bytes]) -> Any:
    """openpyxl's read-only workbook, but for its table of texts, which lies on disk.

    openpyxl itself streams the sheet, and holds the texts that the cells refer to in a list: of a
    catalogue that is nearly everything.
    """
    warnings.filterwarnings("ignore", module="openpyxl")  # remarks on styles, which do not matter
    with needs("catalogues", "reading a spreadsheet"):
        from openpyxl.reader.excel import ExcelReader
        from openpyxl.xml.constants import SHARED_STRINGS

    class StreamedReader(ExcelReader):  # type: ignore[misc]  # openpyxl ships no types
        def read_strings(self) -> None:
            table = self.package.find(SHARED_STRINGS)
            if table is not None:
                source = self.archive.open(table.PartName[1:])
                self.shared_strings = StringTable(source, strings)

    reader = StreamedReader(file, read_only=True, data_only=True, keep_links=False)
    reader.read()
    return reader.wb


class StringTable(Sequence[str]):
    """The texts of a workbook, by number, in a file; memory holds eight bytes for each.

    They are read as far as they are asked for: spreadsheets number texts as they come in the sheet.
    """

    def __init__(self, source: IO[bytes], file: IO[bytes]) -> None:
        self._file = file
        self._ends = array("Q", [0])
        self._texts = _texts(source)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...

    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        if isinstance(number, slice):
            return [self[place] for place in range(*number.indices(len(self)))]
        self._read_up_to(number)
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def _read_up_to(self, number: int) -> None:
        if number < len(self):
            return
        end = self._file.seek(self._ends[-1])
        while number >= len(self):
            text = next(self._texts, None)
            if text is None:
                raise IndexError(f"the workbook has {len(self)} texts, not {number + 1}")
            end += self._file.write(text.encode("utf-8", "surrogatepass"))
            self._ends.append(end)


def _texts(source: IO[bytes]) -> Iterator[str]:
    """The texts of the table in order (ISO/IEC 29500-1, 18.4)."""
    from openpyxl.cell.text import Text
    from openpyxl.xml.constants import SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    item, plain = f"{{{SHEET_MAIN_NS}}}si", f"{{{SHEET_MAIN_NS}}}t"
    root: Any = None
    with source:
        for event, node in iterparse(source, events=("start", "end")):
            root = node if root is None else root
            if event != "end" or node.tag != item:
                continue
            if len(node) == 1 and node[0].tag == plain:
                text = node[0].text or ""
            else:
                text = Text.from_tree(node).content
            yield text.replace("x005F_", "")
            root.clear()  # what has been read would fill the memory
