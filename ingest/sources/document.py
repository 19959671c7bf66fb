"""Files that are one document, parsed from the beginning to the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path

from ingest.sources.binary import ReadMeter
from ingest.sources.columns import seen_columns
from ingest.sources.ports import Record
from vitrine.fields.source_table import SourceTable

__all__ = ["DocumentReader"]


class DocumentReader(ABC):
    """What readers of JSON and XML documents share; see `Reader`."""

    def __init__(self, path: Path, table: SourceTable) -> None:
        self._path = path
        self._table = table
        self._meter = ReadMeter(path)

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """The rows; the format gives no way to go on after a syntax error: that is the last one."""

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The names of the rows' values, read until all that are needed have been seen."""
        return seen_columns((record.values for record in self.records()), needed)

    def count(self) -> int | None:
        """Unknown."""
        return None

    def share(self) -> float | None:
        """How much of the file's bytes has been read."""
        return self._meter.share
