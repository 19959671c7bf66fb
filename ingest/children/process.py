"""A process beside this one, as this one sees it."""

from __future__ import annotations

import json
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["ChildDied", "ChildProcess"]

_MESSAGE_S = 60.0
"""Seconds in which a process takes the next part of a message, or gives it: both wait for nothing
else then."""
_END_S = 5.0
"""Seconds for a process that has closed its connection to end."""
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib import import_module; "
    "import_module(sys.argv[2]).main(*map(int, sys.argv[3:]))"
)
"""The program, with the paths of this one: it need not be installed, and no module of whoever
uses Vitrine as a library is run again (as multiprocessing's spawn would)."""


class ChildDied(Exception):
    """The process exited, or hung and was killed, before it answered; the message says how."""


class ChildProcess:
    """Started afresh (no fork) to run the `main` of a module, for one thread at a time.

    `main` gets numbers of descriptors: its end of a socket, then those it is to have besides. All
    messages are pickled; methods raise `ChildDied` once it has gone, and it is cleared away then.
    `OSError` when it cannot be started.
    """

    def __init__(self, module: str, descriptors: Sequence[int] = ()) -> None:
        ours, theirs = socket.socketpair()
        try:
            inherited = (theirs.fileno(), *descriptors)
            command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), module]
            _limit_waits(ours)
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                [*command, *map(str, inherited)],
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for the process that ingests
            )
            self._connection = Connection(ours.detach())
        finally:
            ours.close()
            theirs.close()
        self._incoming = select.poll()  # `Connection.poll` makes a selector each time
        self._incoming.register(self._connection.fileno(), select.POLLIN)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, message: Any) -> None:
        """Hand it a message."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._death(error) from error

    def comes(self, within_s: float) -> bool:
        """Whether a message comes, or its end, within so many seconds."""
        return bool(self._incoming.poll(1000 * within_s))

    def receive(self, within_s: float) -> Any:
        """The next message; a process that sends none in time is killed."""
        if not self.comes(within_s):
            raise self._hang(within_s)
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._death(error) from error

    def kill(self) -> None:
        """End the process under whoever uses it; safe from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process, if it has not ended yet."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _hang(self, within_s: float) -> ChildDied:
        """The error of a process that hangs, which is ended."""
        self.close()
        return ChildDied(f"did not answer within {within_s:g} seconds")

    def _death(self, error: Exception) -> ChildDied:
        """The error that says how the process ended."""
        if isinstance(error, BlockingIOError):
            return self._hang(_MESSAGE_S)
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_END_S)
        self.close()
        if code is None:
            return ChildDied("closed its connection")
        if code < 0:
            return ChildDied(f"was ended by {signal.Signals(-code).name}")
        return ChildDied(f"ended with exit status {code}")


def _limit_waits(end: socket.socket) -> None:
    """Let no wait amid a message be longer than `_MESSAGE_S` (BlockingIOError): `Connection` waits
    for ever."""
    seconds, part = divmod(_MESSAGE_S, 1.0)
    limit = struct.pack("@ll", int(seconds), int(1e6 * part))  # struct timeval
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        end.setsockopt(socket.SOL_SOCKET, option, limit)
