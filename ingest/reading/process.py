"""Rows that a process of their own reads, as its parent sees it."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from ingest.children.process import ChildDied, ChildProcess
from ingest.children.program import Failed
from ingest.reading.outcomes import RowChunk, RowReading
from ingest.reading.program import End
from vitrine.errors import VitrineError

__all__ = ["ProcessRows", "ReaderUnavailable"]

_log = logging.getLogger(__name__)

_TICK_S = 0.25
"""Seconds between checks for the end, while nothing comes from the process."""


class ReaderUnavailable(VitrineError):
    """The process that reads the source died, and so did the one that was to go on."""


class ProcessRows:
    """`Rows` that come from a process; it reads ahead what it sends at once and what the socket
    takes, some hundred kilobytes each.

    When it dies, another one goes on after the rows that were handed on: a source gives them in
    the same order each time. `ReaderUnavailable` when that dies as well. It ends with the iterator
    of its chunks, and with the process that started it.
    """

    def __init__(self, reading: RowReading, *, memory_mb: int) -> None:
        self._reading, self._memory_mb = reading, memory_mb
        self._notes: tuple[str, ...] | None = None
        self._handed_on = 0

    def chunks(self, stopped: Callable[[], bool]) -> Generator[RowChunk, None, None]:
        """The chunks; `stopped` is asked before each is waited for, and meanwhile."""
        try:
            yield from self._from_process(stopped)
        except ChildDied as first:
            if stopped():
                return
            row = self._handed_on + 1
            _log.warning("the process that reads the catalogue %s; another goes on", first)
            try:
                yield from self._from_process(stopped)
            except ChildDied as second:
                raise self._unavailable(row, first, second) from second

    def notes(self) -> tuple[str, ...]:
        """What the process guessed; where it was stopped before the end, what is known here."""
        return self._reading.source.notes() if self._notes is None else self._notes

    def _from_process(self, stopped: Callable[[], bool]) -> Generator[RowChunk, None, None]:
        with closing(_started()) as child:
            child.send((replace(self._reading, first=self._handed_on), self._memory_mb))
            while not stopped():
                if not child.comes(_TICK_S):
                    continue
                message = child.receive(_TICK_S)
                if isinstance(message, Failed):
                    raise message.error
                if isinstance(message, End):
                    self._notes = message.notes
                    return
                for packed in message:
                    if stopped():
                        return
                    chunk: RowChunk = pickle.loads(packed)  # noqa: S301  # our own bytes
                    self._handed_on += len(chunk.outcomes)
                    yield chunk

    def _unavailable(self, row: int, first: ChildDied, second: ChildDied) -> ReaderUnavailable:
        return ReaderUnavailable(
            f"{self._reading.source.name} cannot be read on: the process that reads it {first} "
            f"(row {row}), and the next one {second} (row {self._handed_on + 1}). What was read is "
            "kept: run the same command again to go on. It may have needed more memory than there "
            f"is, or than VITRINE_READ_MEMORY_MB={self._memory_mb} allows; "
            "VITRINE_DECODE_PROCESSES=0 reads without such a process"
        )


def _started() -> ChildProcess:
    """The process; `ChildDied` where the system starts none, so that an OSError is the source's."""
    try:
        return ChildProcess("ingest.reading.program")
    except OSError as error:
        raise ChildDied(f"cannot be started ({error})") from error
