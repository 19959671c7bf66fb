"""`vitrine up`: keeps several programs running as one, and stops them together."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from ingest.stop_request import StopRequest

__all__ = ["Program", "supervise"]

log = logging.getLogger(__name__)

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
_STEADY_S = 60.0
"""A program that ran this long is restarted at once when it dies, as if for the first time."""

_TICK_S = 0.1

_C_LIBRARY, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1
"""Loaded before the fork; the constant is prctl.h's."""

CANNOT_START = 2
"""Exit status of a program that cannot run under its settings; starting it again would not help."""


@dataclass
class Program:
    """A program to keep running, and its state."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    wait_s: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start it in a process group of its own: Ctrl-C reaches it through its supervisor only."""
        command = list(self.command)
        self.process = subprocess.Popen(  # noqa: S603  # our own
            command,
            start_new_session=True,
            preexec_fn=partial(_end_with_supervisor, os.getpid()),  # noqa: PLW1509  # this process has no other thread
        )
        self.started = time.monotonic()
        log.info("%s started (process %d)", self.name, self.process.pid)

    def died(self, status: int) -> None:
        """Note the end and when to start again: after 1, 2, 4 ... 30 seconds."""
        ran = time.monotonic() - self.started
        self.process = None
        self.wait_s = (
            _FIRST_WAIT_S
            if ran > _STEADY_S
            else min(_LONGEST_WAIT_S, max(_FIRST_WAIT_S, 2 * self.wait_s))
        )
        self.due = time.monotonic() + self.wait_s
        log.error("%s exited with status %d; restarting it in %g s", self.name, status, self.wait_s)


def _end_with_supervisor(supervisor: int) -> None:
    """Have the system send SIGTERM when the supervisor is gone, even by kill -9 (prctl(2), Linux):
    programs left alone would hold the port and the work that its next start needs."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until it runs, the supervisor's would take it
    with suppress(AttributeError):
        _C_LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it has gone already
        os.kill(os.getpid(), signal.SIGTERM)


def supervise(programs: Sequence[Program], *, grace_s: float) -> int:
    """Run all programs until SIGTERM or Ctrl-C, restarting those that die; returns the exit status.

    On the signal each gets SIGTERM and `grace_s` seconds, then SIGKILL. When one ends with status 2
    (it cannot run under these settings), all are stopped and 2 is returned.
    """
    stop = StopRequest()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    earlier = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stop.wait(_TICK_S):
            if any(_look_after(program) for program in programs):
                return CANNOT_START
        return 0
    finally:
        _stop(programs, grace_s)
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _look_after(program: Program) -> bool:
    """Start or restart it when it is due; says whether it cannot run at all."""
    if program.process is None:
        if time.monotonic() >= program.due:
            program.start()
        return False
    status = program.process.poll()
    if status is None:
        return False
    if status == CANNOT_START:
        log.error("%s cannot run; stopping everything", program.name)
        return True
    program.died(status)
    return False


def _stop(programs: Sequence[Program], grace_s: float) -> None:
    running = [
        (program.name, program.process) for program in programs if program.process is not None
    ]
    for _, process in running:
        process.terminate()
    deadline = time.monotonic() + grace_s
    for name, process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("%s did not stop within %.0f s; killing it", name, grace_s)
            process.kill()
            process.wait()
