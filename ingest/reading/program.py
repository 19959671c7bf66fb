"""The program of a process that reads a source: it sends chunk after chunk until the source ends,
or nobody is there any more. It loads neither a model nor an index."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from ingest.children.program import Failed, end_with_parent, error_message, limit_memory
from ingest.reading.outcomes import RowReading, read_chunks
from vitrine.errors import InvalidInput
from vitrine.freed_memory import keep_freed_memory

__all__ = ["End", "main"]


_CHUNKS = 8
"""Chunks that are sent together, so that the process that ingests is woken for 128 rows and not for
each 16. Taking a row and noting its id costs it 15 microseconds so, and 30 where chunks come one by
one (16 at once: 13; JSON lines, the least of six runs)."""
_BYTES = 500_000
"""Bytes of chunks that are sent together at most, unless one alone has more."""


@dataclass(frozen=True)
class End:
    """The last message: the source has been read, with these notes."""

    notes: tuple[str, ...]


def main(socket: int) -> None:
    """Read what the first message names, and send what comes of it."""
    # pyarrow's own allocators take address space in advance, which would count as taken
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    keep_freed_memory()
    with (
        Connection(socket) as connection,
        suppress(EOFError, BrokenPipeError, ConnectionResetError),
    ):
        reading, memory_mb = connection.recv()
        end_with_parent(connection)
        limit_memory(memory_mb * 1_000_000)
        for message in _messages(reading, memory_mb):
            connection.send_bytes(message)


def _messages(reading: RowReading, memory_mb: int) -> Iterator[bytes]:
    """Lists of chunks, each pickled, and the end or the error; all of them pickled."""
    chunks: list[bytes] = []
    try:
        for chunk in map(pickle.dumps, read_chunks(reading)):
            chunks.append(chunk)
            if len(chunks) == _CHUNKS or sum(map(len, chunks)) >= _BYTES:
                yield pickle.dumps(chunks)
                chunks = []
        last = pickle.dumps(End(reading.source.notes()))
    except MemoryError:
        last = b""  # what took the memory is free when the handler has been left
    except Exception as error:
        last = error_message(error)
    if chunks:
        yield pickle.dumps(chunks)
    yield last or pickle.dumps(Failed(_too_large(reading, memory_mb)))


def _too_large(reading: RowReading, memory_mb: int) -> InvalidInput:
    message = (
        f"reading {reading.source.name} takes more memory than VITRINE_READ_MEMORY_MB={memory_mb} "
        "allows; look whether the file is what it should be, and raise it if so"
    )
    return InvalidInput.of("source", message)
