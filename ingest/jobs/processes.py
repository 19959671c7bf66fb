"""Names of processes, so that another process on the same host can tell that one has died."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["ProcessName", "this_process"]


@dataclass(frozen=True)
class ProcessName:
    """A process beyond doubt: containers may share a host's name, and numbers are used again.

    `namespace` is the space that its number counts in, `started` the clock tick of its start; both
    are "" where the system does not tell.
    """

    host: str
    namespace: str
    number: int
    started: str

    def __str__(self) -> str:
        return "/".join((self.host, self.namespace, str(self.number), self.started))

    @classmethod
    def parse(cls, text: str) -> ProcessName | None:
        """The process that `str` wrote; None for another text."""
        parts = text.split("/")
        if len(parts) != 4 or not parts[2].isdecimal():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    @property
    def words(self) -> str:
        """In words, for messages."""
        return f"process {self.number} on {self.host}"

    @property
    def has_died(self) -> bool:
        """Whether it has certainly ended: it ran here, and its number is free or reused."""
        here = this_process()
        if (self.host, self.namespace) != (here.host, here.namespace):
            return False
        try:
            os.kill(self.number, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return self.started != _started(self.number)


def this_process() -> ProcessName:
    """The process that calls."""
    return _name(os.getpid())


@lru_cache(maxsize=2)  # a fork has another number
def _name(number: int) -> ProcessName:
    return ProcessName(socket.gethostname(), _namespace(), number, _started(number))


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(number: int) -> str:
    """Field 22 of /proc/NUMBER/stat (proc(5)); "" without one, and for a zombie (field 3)."""
    try:
        text = Path(f"/proc/{number}/stat").read_text("utf-8")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return "" if fields[0] == "Z" else fields[19]
