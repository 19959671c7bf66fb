"""One decoding process as its parent sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from ingest.decoding.block import PixelBlock, unnamed_file
from ingest.decoding.program import DecoderSpec, Failed
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from vitrine.errors import VitrineError

__all__ = ["DecoderDied", "DecoderProcess", "DecoderUnavailable", "cannot_start"]

_PATIENCE_S = 300.0
"""Seconds for one chunk before the process is taken to hang: far above what the largest pictures
that the limits allow take, waiting for their share of the budget included."""
_MESSAGE_S = 60.0
"""Seconds in which a process takes the next part of a message, or gives it: both wait for nothing
else then."""
_START_S = 60.0
"""Seconds for Python to start."""
_STARTS = 3
"""A process that is killed while it starts, as by a system without memory, is started again."""
_END_S = 5.0
"""Seconds for a process that has closed its connection to end."""
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from ingest.decoding.program import Descriptors, main; "
    "main(Descriptors(*map(int, sys.argv[2:])))"
)
"""The program, with the paths of this one: it need not be installed, and no module of whoever
uses Vitrine as a library is run again (as multiprocessing's spawn would)."""


class DecoderDied(Exception):
    """The process exited, or hung and was killed, before it answered; the message says how."""


class DecoderUnavailable(VitrineError):
    """No decoding process can be started, so that nothing can be said of any picture."""


def cannot_start(error: Exception) -> DecoderUnavailable:
    """The error that says why, and which setting is to be changed."""
    return DecoderUnavailable(
        f"a decoding process cannot be started ({error}); lower VITRINE_DECODE_PROCESSES, which may"
        " be 0 to do without"
    )


class DecoderProcess:
    """Started when it is first needed and again after its death; for one thread at a time.

    `lock` is the descriptor that all processes of a work share.
    """

    def __init__(self, spec: DecoderSpec, lock: int) -> None:
        self._spec, self._lock = spec, lock
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._block: PixelBlock | None = None
        self._is_ended = False

    @property
    def pid(self) -> int | None:
        """The number of the process while it runs."""
        return None if self._process is None else self._process.pid

    def outcomes(self, tasks: Sequence[PictureTask]) -> list[PictureOutcome]:
        """The outcome of each task, at most `places` of them; `DecoderDied` without an answer.

        Raises what else went wrong there, such as `StorageUnavailable`.
        """
        connection, block = self._started()
        try:
            connection.send(list(tasks))
            answer = self._received(connection, _PATIENCE_S)
        except OSError as error:  # an EOFError is one of reading
            raise self._death(error) from error
        if isinstance(answer, Failed):
            raise answer.error
        pixels = block.copy(sum(outcome.pixels is not None for outcome in answer))
        for outcome in answer:
            if outcome.pixels is not None:
                outcome.pixels = pixels[outcome.pixels]
        outcomes: list[PictureOutcome] = answer
        return outcomes

    def kill(self) -> None:
        """End the process for good under whoever uses it; safe from any thread."""
        self._is_ended = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; it may be used again."""
        process, connection = self._process, self._connection
        self._process = self._connection = self._block = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait()

    def _received(self, connection: Connection, patience_s: float) -> Any:
        """The next message; `DecoderDied` when there is none."""
        try:
            if connection.poll(patience_s):
                return connection.recv()
        except (EOFError, OSError) as error:
            raise self._death(error) from error
        raise self._hang(patience_s)

    def _started(self) -> tuple[Connection, PixelBlock]:
        starts = 0
        while self._connection is None or self._block is None:
            if self._is_ended:
                raise DecoderDied("was ended")
            starts += 1
            try:
                return self._begin()
            except (DecoderDied, OSError) as error:
                if starts == _STARTS and not self._is_ended:
                    raise cannot_start(error) from error
        return self._connection, self._block

    def _begin(self) -> tuple[Connection, PixelBlock]:
        """Start the process and wait until it is ready; `DecoderDied` or OSError when it is not."""
        self._connection, self._block = self._start()
        try:
            self._connection.send(self._spec)
            self._received(self._connection, _START_S)
        except (DecoderDied, OSError):
            self.close()
            raise
        return self._connection, self._block

    def _start(self) -> tuple[Connection, PixelBlock]:
        spec = self._spec
        descriptor = unnamed_file(PixelBlock.size(spec.places, spec.rules.shape))
        ours, theirs = socket.socketpair()
        try:
            block = PixelBlock(descriptor, spec.places, spec.rules.shape)
            inherited = (theirs.fileno(), descriptor, self._lock)
            command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), *map(str, inherited)]
            _limit_waits(ours)
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                command,
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for the process that has the model
            )
            return Connection(ours.detach()), block
        finally:
            ours.close()
            theirs.close()
            os.close(descriptor)

    def _hang(self, patience_s: float) -> DecoderDied:
        """The error of a process that hangs, which is ended."""
        self.close()
        return DecoderDied(f"did not answer within {patience_s:g} seconds")

    def _death(self, error: Exception) -> DecoderDied:
        """The error that says how the process ended, which is cleared away."""
        if isinstance(error, BlockingIOError):
            return self._hang(_MESSAGE_S)
        code = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(_END_S)
        self.close()
        if code is None:
            return DecoderDied("closed its connection")
        if code < 0:
            return DecoderDied(f"was ended by {signal.Signals(-code).name}")
        return DecoderDied(f"ended with exit status {code}")


def _limit_waits(end: socket.socket) -> None:
    """Let no wait amid a message be longer than `_MESSAGE_S` (BlockingIOError): `Connection` waits
    for ever."""
    seconds, part = divmod(_MESSAGE_S, 1.0)
    limit = struct.pack("@ll", int(seconds), int(1e6 * part))  # struct timeval
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        end.setsockopt(socket.SOL_SOCKET, option, limit)
