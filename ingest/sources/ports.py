"""What a source gives: rows, in a fixed order, one at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["BrokenRow", "Reader", "Record", "Row", "Source"]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not even be read; `number` as for `Row`."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the source, from 0, broken ones counted; its values by column; where its relative paths begin.

    `base` is None where the source may not name files of this machine.
    """

    number: int
    values: Mapping[str, Any]
    base: Path | None = None


class Source(Protocol):
    """A catalogue to be read from the beginning, as often as wanted; memory does not grow with its length."""

    @property
    def name(self) -> str:
        """The same name for the same catalogue in every run: runs are continued by it."""
        ...

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The columns there are. Where rows differ, rows are read until all that are wanted have been seen."""
        ...

    def rows(self) -> Iterator[Row | BrokenRow]:
        """All rows in order. `InvalidInput` when the source cannot be opened."""
        ...

    def count(self) -> int | None:
        """How many rows there are (for text with quoted line breaks about as many), None when only reading all would tell."""
        ...


Record = Mapping[str, Any] | str
"""A row's values, or what is wrong with it."""


class Reader(Protocol):
    """One file of a source; methods as those of `Source`."""

    def columns(self, wanted: Collection[str]) -> Collection[str]: ...

    def records(self) -> Iterator[Record]: ...

    def count(self) -> int | None: ...
