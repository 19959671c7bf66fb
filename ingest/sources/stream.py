"""NDJSON from standard input."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.sources.jsons import parse_lines, seen_columns
from ingest.sources.ports import BrokenRow, Record, Row

__all__ = ["StreamSource"]

_AHEAD = 100


class StreamSource:
    """A stream of one JSON object per line, which can be read once; its columns are those of its first 100 rows."""

    def __init__(self, stream: BinaryIO, base: Path) -> None:
        self._records = parse_lines(line.decode("utf-8-sig", "backslashreplace") for line in stream)
        self._ahead: list[Record] = []
        self._base = base

    @property
    def name(self) -> str:
        """Every stream has the same name."""
        return "-"

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The keys of the first rows, which are kept for `rows`."""
        self._ahead.extend(itertools.islice(self._records, _AHEAD))
        return seen_columns(self._ahead, wanted)

    def count(self) -> int | None:
        """Unknown."""
        return None

    def rows(self) -> Iterator[Row | BrokenRow]:
        """The rows; relative paths begin at the working folder."""
        for number, record in enumerate(itertools.chain(self._ahead, self._records)):
            yield (
                BrokenRow(number, record)
                if isinstance(record, str)
                else Row(number, record, self._base)
            )
