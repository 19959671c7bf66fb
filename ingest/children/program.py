"""What the programs of such processes have in common."""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

__all__ = ["Failed", "end_with_parent", "error_message", "limit_memory"]


@dataclass(frozen=True)
class Failed:
    """An answer: an error that ends the work."""

    error: Exception


def error_message(error: Exception) -> bytes:
    """The error as bytes; one that does not survive the journey by its words."""
    try:
        packed = pickle.dumps(Failed(error))
        pickle.loads(packed)  # noqa: S301  # our own bytes
    except Exception:  # whatever a foreign exception makes of it
        return pickle.dumps(Failed(RuntimeError(f"{type(error).__name__}: {error}")))
    return packed


def limit_memory(more: int) -> None:
    """Let the process take so many bytes beyond what it has; on macOS there is no such limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a hostile file fills no disk with cores
    if sys.platform != "linux":
        return
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[5])  # data and stack, proc(5)
    most = pages * resource.getpagesize() + more
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def end_with_parent(connection: Connection) -> None:
    """End this process as soon as the other end of the connection, which sends nothing any more, is
    closed, whatever the process is busy with."""
    watch = threading.Thread(target=_await_end, args=(connection,), daemon=True)
    watch.start()


def _await_end(connection: Connection) -> None:
    with suppress(EOFError, OSError):
        connection.recv_bytes()
    os._exit(0)
