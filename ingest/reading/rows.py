"""Where the rows of a source are read: the one place that chooses."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Protocol

from ingest.reading.outcomes import RowChunk, RowReading, read_chunks
from ingest.reading.process import ProcessRows

__all__ = ["LocalRows", "Rows", "rows_of"]


class Rows(Protocol):
    """The rows of one source, to be read once."""

    def chunks(self, stopped: Callable[[], bool]) -> Generator[RowChunk, None, None]:
        """The chunks in their order, until the source ends or `stopped` says so; to be closed.

        Raises what reading the source raises.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """What was guessed about the source, to be asked for after reading."""
        ...


def rows_of(reading: RowReading, *, out_of_process: bool, memory_mb: int) -> Rows:
    """Read by a process of its own if it is to be read out of process, and another process can.

    That process may take `memory_mb`.
    """
    source = reading.source.detached() if out_of_process else None
    if source is None:
        return LocalRows(reading)
    return ProcessRows(replace(reading, source=source), memory_mb=memory_mb)


class LocalRows:
    """Reads in the thread that takes the chunks."""

    def __init__(self, reading: RowReading) -> None:
        self._reading = reading

    def chunks(self, stopped: Callable[[], bool]) -> Generator[RowChunk, None, None]:
        """The chunks; `stopped` is asked before each is read."""
        chunks = read_chunks(self._reading)
        while not stopped():
            chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def notes(self) -> tuple[str, ...]:
        """The source's own."""
        return self._reading.source.notes()
