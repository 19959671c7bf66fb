"""Lines of a delimited file become records: which quotation marks quote, and where a record ends.

A cell is quoted when it begins with the mark; within it the mark is written twice, and separators
and line breaks are text (RFC 4180). Feeds of shopping services are not quoted at all, and a title
may begin with a mark. So a mark that is not closed is followed to its end only where what comes out
is a record of the header's width; else it is text, or costs its own line, and never other rows.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Cells", "Quoting", "records", "split_line"]

MAX_RECORD = 1_000_000
"""Characters over which a mark that is not closed is followed."""

_UNCLOSED = (
    "the line cannot be read as CSV; look for a quotation mark that is not closed, "
    'and write a mark within a value twice ("")'
)


_CUT_OFF = (
    "the file ends within this line, as one does that was cut off; if it is whole, end it with "
    "a line break"
)


@dataclass(frozen=True, slots=True)
class Quoting:
    """The separator, and the quotation mark (None where there is none)."""

    separator: str
    mark: str | None = '"'


@dataclass(frozen=True, slots=True)
class Cells:
    """A record: its row as a spreadsheet numbers it, and its cells or what is wrong with it."""

    row: int
    cells: tuple[str, ...] = ()
    error: str = ""


def split_line(line: str, quoting: Quoting) -> list[str]:
    """The cells of one whole record."""
    text = line.rstrip("\n")
    if quoting.mark is None or quoting.mark not in text:
        return text.split(quoting.separator)
    if quoting.separator == "\t":
        return [_unquoted(cell, quoting.mark) for cell in _tab_cells(text, quoting.mark)]
    csv.field_size_limit(2 * MAX_RECORD)
    return next(
        csv.reader([text + "\n"], delimiter=quoting.separator, quotechar=quoting.mark), [""]
    )


def records(lines: Iterator[str], quoting: Quoting, width: int, first_row: int) -> Iterator[Cells]:
    """The records of the lines after the header; blank lines are passed over.

    `width` is the number of columns, `first_row` the number of the first line's row. A record
    counts as one row, whatever line breaks its cells hold; so does a blank line.
    """
    waiting: deque[str] = deque()
    row = first_row
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        if line.strip():
            (cells, error), line_count = _record(line, waiting, lines, quoting, width)
            yield Cells(row, cells, error)
            for _ in range(line_count - 1):
                waiting.popleft()
        row += 1


def _record(
    line: str, waiting: deque[str], lines: Iterator[str], quoting: Quoting, width: int
) -> tuple[tuple[tuple[str, ...], str], int]:
    """The cells or the error of the record that begins with the line, and its number of lines."""
    if not _ends_open(line, quoting):
        cells = split_line(line, quoting)
        if len(cells) < width and not line.endswith("\n"):
            return ((), _CUT_OFF), 1
        return (tuple(cells), ""), 1
    literal = line.rstrip("\n").split(quoting.separator)
    alone = quoting.separator == "\t" and len(literal) == width
    joined, count = _joined(line, waiting, lines, quoting)
    if joined is not None:
        cells = split_line(joined, quoting)
        swallowed = alone and _is_row(waiting[0], quoting, width)
        if len(cells) == width and not swallowed and _well_formed(joined, quoting):
            return (tuple(cells), ""), count
    if alone:
        return (tuple(literal), ""), 1
    return ((), _UNCLOSED), 1


def _joined(
    line: str, waiting: deque[str], lines: Iterator[str], quoting: Quoting
) -> tuple[str | None, int]:
    """The line with those that follow up to the closing mark, None when there is none in reach."""
    parts, size = [line], len(line)
    while size < MAX_RECORD:
        if len(parts) > len(waiting):
            following = next(lines, None)
            if following is None:
                break
            waiting.append(following)
        following = waiting[len(parts) - 1]
        parts.append(following)
        size += len(following)
        if not _ends_open(following, quoting, begins_open=True):
            return "".join(parts), len(parts)
    return None, 1


def _ends_open(text: str, quoting: Quoting, *, begins_open: bool = False) -> bool:
    """Whether the text ends within a quoted cell."""
    mark, separator = quoting.mark, quoting.separator
    if mark is None or mark not in text:
        return begins_open
    position, quoted = 0, begins_open
    while True:
        if quoted or text.startswith(mark, position):
            end = _closing(text, position + (not quoted), mark)
            if end is None:
                return True
            position, quoted = end + 1, False
        following = text.find(separator, position)
        if following < 0:
            return False
        position = following + 1


def _well_formed(text: str, quoting: Quoting) -> bool:
    """Whether every quoted cell ends where a cell may end."""
    mark, separator = quoting.mark or "", quoting.separator
    position = 0
    while True:
        if text.startswith(mark, position):
            end = _closing(text, position + 1, mark)
            if end is None or text[end + 1 : end + 2] not in (separator, "\n", ""):
                return False
            position = end + 1
        following = text.find(separator, position)
        if following < 0:
            return True
        position = following + 1


def _closing(text: str, position: int, mark: str) -> int | None:
    """Where the quoting mark stands that ends the cell: the next one that is not doubled."""
    while (end := text.find(mark, position)) >= 0:
        if not text.startswith(mark, end + 1):
            return end
        position = end + 2
    return None


def _is_row(line: str, quoting: Quoting, width: int) -> bool:
    return line.count(quoting.separator) == width - 1


def _tab_cells(text: str, mark: str) -> Iterator[str]:
    """Cells between tabs; a quoted cell may hold tabs and line breaks."""
    position = 0
    while True:
        end = None
        if text.startswith(mark, position):
            close = _closing(text, position + 1, mark)
            if close is not None and text[close + 1 : close + 2] in ("", "\t"):
                end = close + 1
        if end is None:
            end = text.find("\t", position)
            end = len(text) if end < 0 else end
        yield text[position:end]
        if end >= len(text):
            return
        position = end + 1


def _unquoted(cell: str, mark: str) -> str:
    if len(cell) >= 2 and cell.startswith(mark) and cell.endswith(mark):
        inner = cell[1:-1]
        if mark not in inner.replace(mark * 2, ""):
            return inner.replace(mark * 2, mark)
    return cell
