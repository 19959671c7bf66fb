"""NDJSON from standard input."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ingest.sources.columns import seen_columns
from ingest.sources.jsons import parse_lines
from ingest.sources.ports import BrokenRow, LeftOutRow, Record, Row

__all__ = ["StreamSource"]

_AHEAD = 10_000
"""Rows that are read ahead at most to find a column: they wait in memory."""


class StreamSource:
    """A stream of one JSON object per line, which can be read once."""

    def __init__(self, stream: BinaryIO, base: Path) -> None:
        self._records = parse_lines(line.decode("utf-8-sig", "surrogateescape") for line in stream)
        self._ahead: deque[Record] = deque()
        self._base = base

    @property
    def name(self) -> str:
        """Every stream has the same name."""
        return "-"

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The keys of the first rows, which are kept for `rows`.

        Where the first 10,000 lack one that is needed, later ones may still have it: fields may be
        sparse, and nobody can read on without keeping all.
        """
        columns = seen_columns(self._look_ahead(), needed)
        if len(self._ahead) == _AHEAD:
            return (*columns, *(name for name in needed if name not in columns))
        return columns

    def first_rows(self, count: int) -> list[Mapping[str, Any]]:
        """The values of the first rows, which are kept for `rows`."""
        ahead = itertools.islice(self._look_ahead(), count)
        return [values for values in ahead if values is not None]

    def count(self) -> int | None:
        """Unknown."""
        return None

    def share(self) -> float | None:
        """Unknown."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing is guessed."""
        return ()

    def detached(self) -> None:
        """Only this process has the stream, and what it has read ahead."""
        return None

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows; relative paths begin at the working folder."""
        for number, record in enumerate(itertools.chain(self._buffered(), self._records)):
            if record.values is None:
                yield BrokenRow(number, record.error, record.place)
            else:
                yield Row(number, record.values, self._base, record.place)

    def _buffered(self) -> Iterator[Record]:
        while self._ahead:
            yield self._ahead.popleft()

    def _look_ahead(self) -> Iterator[dict[str, object] | None]:
        for record in self._ahead:
            yield dict(record.values) if record.values is not None else None
        for record in itertools.islice(self._records, _AHEAD - len(self._ahead)):
            self._ahead.append(record)
            yield dict(record.values) if record.values is not None else None
