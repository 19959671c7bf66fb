"""Keeping the derived files fresh: one thread of one process at a time writes a new snapshot.

Meanwhile all go on answering.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from filelock import FileLock, Timeout

from vitrine.errors import Cancelled, Conflict, VitrineError
from vitrine.index.faiss.query.state import State
from vitrine.index.faiss.snapshots.snapshots import MOST_DEAD, Snapshots
from vitrine.storage.atomic import disk_errors

__all__ = ["Compactor"]

SHARE = 0.1
"""Rows outside the snapshot, as a share of those in it, that make a new one worth its work ..."""
LEAST, MOST = 5000, 20_000
"""... but at least and at most so many."""
_PAUSE_S, _BUSY_S = 60.0, 1.0
log = logging.getLogger(__name__)


class Compactor:
    """Writes snapshots of a version, at once or in the background."""

    def __init__(self, snapshots: Snapshots, *, timeout_s: float) -> None:
        self._snapshots = snapshots
        self._timeout_s = timeout_s
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._not_before = 0.0
        self._last_seen: State | None = None

    def compact(self, state: State) -> None:
        """Make the newest snapshot one of this state, unless it is; waits for one being written."""
        if not state.segments or (_snapshot_rows(state) and not _newer_rows(state)):
            return
        with self._exclusively(self._timeout_s):
            self._snapshots.write(state, check=self._check)

    def maybe_compact(self, state: State) -> None:
        """Start a snapshot in the background when enough has changed since the last."""
        if state is self._last_seen:
            return
        self._last_seen = state
        if not self._overdue(state) or time.monotonic() < self._not_before or self._stop.is_set():
            return
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._write, args=(state,), name="write-snapshot", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Stop what is being written."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=self._timeout_s)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled("the index was closed")

    def _overdue(self, state: State) -> bool:
        rows, newer = _snapshot_rows(state), _newer_rows(state)
        if newer > min(max(LEAST, SHARE * rows), MOST):
            return True
        if not rows:
            return False
        options, first = self._snapshots.options, state.segments[0]
        pictures = len(first.segment.pictures.rows)
        lacks_quantized = pictures >= options.quantize_from and first.segment.codes is None
        lacks_graph = options.makes_graph(pictures) and first.segment.graph is None
        dead = rows - int(np.count_nonzero(first.live))
        return lacks_quantized or lacks_graph or dead > MOST_DEAD * rows

    @contextmanager
    def _exclusively(self, timeout_s: float) -> Iterator[None]:
        """The only writer of this version's snapshots among all processes, else `Conflict`."""
        folder = self._snapshots.folder
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "lock")
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

    def _write(self, state: State) -> None:
        before = self._snapshots.current()
        try:
            with self._exclusively(0):
                if self._snapshots.current() == before:
                    self._snapshots.write(state, check=self._check)
        except Conflict:
            self._not_before = time.monotonic() + _BUSY_S
        except Cancelled:
            pass  # closing
        except VitrineError as error:
            self._not_before = time.monotonic() + _PAUSE_S
            log.warning("no snapshot could be written, searches go on without: %s", error)


def _snapshot_rows(state: State) -> int:
    """Rows of the snapshot."""
    if not state.segments or state.segments[0].segment.folder is None:
        return 0
    return len(state.segments[0].segment)


def _newer_rows(state: State) -> int:
    """Rows written since."""
    return sum(len(entry.segment) for entry in state.segments) - _snapshot_rows(state)
