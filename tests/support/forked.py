"""A program of the tests in a process that may be killed, forked from one that has loaded it.

A start so costs a tenth of what it costs to load everything anew.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection

__all__ = ["Forked"]

PATIENCE_S = 240
LOADED = (
    *("tests.integration.ingest_process", "tests.integration.jobs.program"),
    *("faiss", "pyarrow.parquet", "vitrine.index.faiss", "vitrine.images.decode"),
)
"""What the process that is forked has loaded; nothing of it has begun a thread by then."""


class Forked:
    """The process of a program, with what it prints; ended when the test's own process ends."""

    def __init__(self, program: Callable[..., None], *arguments: object) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(list(LOADED))
        said, say = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(say, program, arguments), daemon=True)
        self._process.start()
        say.close()
        self._said = os.fdopen(os.dup(said.fileno()), encoding="utf-8")
        said.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def line(self) -> str:
        """The next line that it prints; empty at its end."""
        return self._said.readline().strip()

    def rest(self) -> str:
        """Wait for its end; what else it has printed."""
        with self._said as said:
            printed = said.read()
        self._process.join(PATIENCE_S)
        return printed

    @property
    def status(self) -> int | None:
        """Its exit status, or the negative number of the signal that ended it."""
        return self._process.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


def _run(say: Connection, program: Callable[..., None], arguments: tuple[object, ...]) -> None:
    os.dup2(say.fileno(), 1)
    say.close()
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    program(*arguments)
    sys.stdout.flush()
