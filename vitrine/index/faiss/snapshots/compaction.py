"""Keeping the derived files fresh: one process at a time writes a new snapshot.

A first one is written by the process that completes a version. Later ones are written beside the
searches, by a program of their own with the lowest priority: a snapshot takes seconds of processor
time, a new graph minutes, in which searches of the same process would wait for the interpreter's
lock and for a core. It ends with the process that started it.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from filelock import FileLock, Timeout

from vitrine.errors import Conflict, VitrineError
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.snapshots.snapshots import MOST_DEAD, Snapshots
from vitrine.storage.atomic import disk_errors

__all__ = ["Compactor"]

SHARE = 0.1
"""Rows outside the snapshot, as a share of those in it, that make a new one worth its work ..."""
LEAST, MOST = 5000, 20_000
"""... but at least and at most so many."""
_PAUSE_S, _BUSY_S = 60.0, 1.0
"""Until the next try after one that failed, and while another process writes a snapshot."""
_WRITING, _STARTING = "lock", "starting.lock"
"""Locked by the process that writes a snapshot, and by the one that has started a program for it:
without the second, each serving process would start one only to find the first taken."""
log = logging.getLogger(__name__)


class Compactor:
    """Writes snapshots of a version: at once, or in the background by `command`.

    The command is asked for when it is needed. It writes a snapshot, prints a sentence to standard
    error where it cannot, and ends when its standard input does.
    """

    def __init__(
        self, snapshots: Snapshots, *, command: Callable[[], Sequence[str]], timeout_s: float
    ) -> None:
        self._snapshots = snapshots
        self._command = command
        self._timeout_s = timeout_s
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._guard = threading.Lock()
        self._closed = False
        self._not_before = 0.0
        self._last_seen: State | None = None

    def compact(self, current: Callable[[], State]) -> None:
        """Make the newest snapshot one of the current state, unless it is; waits for one that is
        being written."""
        with self._exclusively(_WRITING, self._timeout_s):
            state = current()
            if state.segments and (_newer_rows(state) or self._overdue(state)):
                self._snapshots.write(state)

    def maybe_compact(self, state: State) -> None:
        """Have a snapshot written in the background when enough has changed since the last."""
        if state is self._last_seen or self._is_running() or time.monotonic() < self._not_before:
            return
        self._last_seen = state
        if not self._overdue(state):
            return
        newest = self._snapshots.current()
        if newest is not None and newest != _snapshot_name(state):
            return  # it is about to be taken up
        with self._guard:
            if not self._closed and not self._is_running():
                # it only waits for another process, and may be left waiting
                self._thread = threading.Thread(
                    target=self._compact_beside, name="await-snapshot", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Stop what is being written."""
        with self._guard:
            self._closed = True
            if self._process is not None:
                self._process.terminate()
        if self._thread is not None:
            self._thread.join(timeout=self._timeout_s)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _overdue(self, state: State) -> bool:
        rows, newer = _snapshot_rows(state), _newer_rows(state)
        if newer > min(max(LEAST, SHARE * rows), MOST):
            return True
        if not rows:
            return False
        options, first = self._snapshots.options, state.segments[0]
        pictures = len(first.segment.pictures.rows)
        lacks_quantized = options.makes_quantized(pictures) and first.segment.codes is None
        lacks_one_bit = options.makes_one_bit(pictures) and first.segment.one_bit is None
        lacks_graph = options.makes_graph(pictures) and first.segment.graph is None
        dead = rows - int(np.count_nonzero(first.live))
        lacks_some = lacks_quantized or lacks_one_bit or lacks_graph
        return lacks_some or dead > MOST_DEAD * rows

    @contextmanager
    def _exclusively(self, name: str, timeout_s: float) -> Iterator[None]:
        """The only holder of this version's lock among all processes, else `Conflict`."""
        folder = self._snapshots.folder
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / name)
            try:
                lock.acquire(timeout=timeout_s)
            except Timeout:
                raise Conflict(
                    f"another process has been writing a snapshot in {folder} for {timeout_s:g} s;"
                    " try again"
                ) from None
            try:
                yield
            finally:
                lock.release()

    def _compact_beside(self) -> None:
        try:
            with self._exclusively(_STARTING, 0):
                fault = self._run()
        except Conflict:
            self._try_again_in(_BUSY_S)
            return
        except VitrineError as error:
            fault = str(error)
        if fault and not self._closed:
            self._try_again_in(_PAUSE_S)
            log.warning("no snapshot could be written, searches go on without: %s", fault)

    def _try_again_in(self, seconds: float) -> None:
        """Have the next search after so many seconds look again, even where nothing was written."""
        self._not_before = time.monotonic() + seconds
        self._last_seen = None

    def _run(self) -> str:
        """Wait for the command; why it has written no snapshot, empty when it has."""
        with self._guard:
            if self._closed:
                return ""
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                self._command(),
                stdin=subprocess.PIPE,  # never written to: it closes with this process
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        with self._process as process:
            assert process.stderr is not None  # noqa: S101  # as it was opened
            said = process.stderr.read().strip()
            status = process.wait()
        if status < 0:
            return f"the program that writes it was ended by {signal.Signals(-status).name}"
        return (said.splitlines() or [f"exit status {status}"])[-1] if status else ""


def _snapshot_name(state: State) -> str | None:
    """The snapshot that the state goes on from."""
    folder = state.segments[0].segment.folder if state.segments else None
    return None if folder is None else folder.name


def _snapshot_rows(state: State) -> int:
    """Rows of the snapshot."""
    return 0 if _snapshot_name(state) is None else len(state.segments[0].segment)


def _newer_rows(state: State) -> int:
    """Rows written since."""
    return sum(len(entry.segment) for entry in state.segments) - _snapshot_rows(state)
