"""Rows that a program holds in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.sources.ports import BrokenRow, LeftOutRow, Row

__all__ = ["MemorySource"]


class MemorySource:
    """Rows by column; relative paths begin at the working folder."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows

    @property
    def name(self) -> str:
        """Rows in memory have one name, whatever they hold."""
        return "memory"

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """Every key of any row, in the order of their first appearance."""
        return list(dict.fromkeys(key for row in self._rows for key in row))

    def share(self) -> float | None:
        """Unknown: the rows are counted."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing is guessed."""
        return ()

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows in order."""
        base = Path.cwd()
        return (
            Row(number, row, base, f"entry {number + 1}") for number, row in enumerate(self._rows)
        )

    def count(self) -> int | None:
        """How many rows there are."""
        return len(self._rows)

    def detached(self) -> None:
        """Only this process has the rows."""
        return None
