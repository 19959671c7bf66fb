"""What a source gives: rows, in a fixed order, one at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["BrokenRow", "LeftOutRow", "Reader", "Record", "Row", "Source"]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not even be read; `number` and `place` as for `Row`."""

    number: int
    message: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A row that the mapping says not to take: hidden, a draft, a further picture of a product."""

    number: int
    reason: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source.

    `number` counts the rows from 0, broken ones too. `values` are by column. `base` is where its
    relative paths begin, None where the source may not name files of this machine. `place` is where
    an employee finds the row: "row 7" as a spreadsheet numbers it, "line 7", "entry 7".
    """

    number: int
    values: Mapping[str, Any]
    base: Path | None = None
    place: str = ""


class Source(Protocol):
    """A catalogue to be read from the beginning, as often as needed, in memory of bounded size."""

    @property
    def name(self) -> str:
        """The same name for the same catalogue in every run: runs are continued by it."""
        ...

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The columns there are.

        Where rows differ, rows are read until all that are `needed` have been seen.
        """
        ...

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """All rows in order. `InvalidInput` when the source cannot be opened."""
        ...

    def count(self) -> int | None:
        """How many rows there are (roughly, for quoted line breaks); None when nobody can tell."""
        ...

    def share(self) -> float | None:
        """How much of it the latest `rows` have read, from 0 to 1; None when nobody can tell."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What was guessed about the source (its encoding, its first line), to be announced."""
        ...

    def detached(self) -> Source | None:
        """The same source for another process of this machine to read, to be pickled; None where
        only this process can."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds at one place: a row's values by column, or what is wrong with it."""

    place: str
    values: Mapping[str, Any] | None = None
    error: str = ""


class Reader(Protocol):
    """One file of a source; methods as those of `Source`.

    `share` tells of `records`, and only where there is no `count`.
    """

    def columns(self, needed: Collection[str]) -> Collection[str]: ...

    def records(self) -> Iterator[Record]: ...

    def count(self) -> int | None: ...

    def share(self) -> float | None: ...

    def notes(self) -> tuple[str, ...]: ...
