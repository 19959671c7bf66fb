"""Keeping up with the record store: before each query a process learns what was committed since its last one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from vitrine.errors import IndexUnavailable
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.query.state import Part, State
from vitrine.index.faiss.records.store import RecordStore, RecordView
from vitrine.index.faiss.segment import Columns, Segment, merge_columns
from vitrine.index.faiss.snapshots.snapshots import Snapshots
from vitrine.storage.disk import disk_errors

__all__ = ["Reader"]


class Reader:
    """The newest `State` of one version, from the newest snapshot and the writes after it."""

    def __init__(
        self, store: RecordStore, snapshots: Snapshots, layout: Layout, *, timeout_s: float
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._layout = layout
        self._timeout_s = timeout_s
        # what the record store and the snapshots said just before the state was read from them
        self._latest: tuple[object, State | None] = (None, None)
        self._snapshot: str | None = None
        self._lock = threading.Lock()

    def current(self) -> State:
        """The state with every write that was committed before the call; microseconds when nothing is new."""
        snapshot = self._snapshots.current()
        version = (self._store.version(), snapshot)
        seen, state = self._latest
        if state is not None and seen == version:
            return state
        if not self._lock.acquire(timeout=self._timeout_s):
            raise IndexUnavailable(
                f"the index is still being loaded after {self._timeout_s:g} s; try again"
            )
        try:
            state = self._refreshed(self._latest[1], snapshot)
            self._latest = (version, state)
        finally:
            self._lock.release()
        return state

    def _refreshed(self, state: State | None, snapshot: str | None) -> State:
        if state is None or (snapshot is not None and snapshot != self._snapshot):
            state = self._loaded(snapshot, state)
        # after the snapshot, so that the view is never older than it
        with self._store.view() as records:
            last = records.last_seq()
            if (
                state.seq > last or state.seq == 0
            ):  # an older file was put back, or nothing is known
                return self._first(records, last)
            for changes in records.changes(since=state.seq):
                state = state.after(changes, seq=changes[-1].seq, layout=self._layout)
        return state if state.seq == last else State(state.parts, last, state.recent)

    def _loaded(self, snapshot: str | None, state: State | None) -> State:
        """The snapshot's state, or the present one where there is no better."""
        for _ in range(3):  # a newer one may replace it while it is being opened
            self._snapshot = snapshot
            loaded = None if snapshot is None else self._snapshots.load(snapshot)
            if loaded is not None:
                return State((loaded[0],), loaded[1])
            snapshot = self._snapshots.current()
        return state or State((), 0)

    def _first(self, records: RecordView, last: int) -> State:
        """The state from the records alone: no id occurs twice in them, so nothing has to be looked up."""
        folder = self._snapshots.folder
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder) as file:  # memory that the system may take back
                spooled = list(self._spooled(records, file))
                if not spooled:
                    return State((), last)
                file.flush()
                vectors = np.asarray(np.memmap(file, np.float32, mode="r"))
        seqs = np.concatenate([own for own, _ in spooled])
        columns = merge_columns([(own, np.arange(len(n))) for n, own in spooled], self._layout)
        segment = Segment(seqs, vectors.reshape(len(seqs), -1), columns)
        return State((Part(segment, np.ones(len(seqs), np.bool_)),), last)

    def _spooled(self, records: RecordView, file: IO[bytes]) -> Iterator[tuple[Ints, Columns]]:
        """Numbers and columns of all records, in batches; their vectors go to the file."""
        for changes in records.changes(since=0):
            if any(change.product is not None for change in changes):
                segment = Segment.of(changes, self._layout)
                file.write(segment.vectors.tobytes())
                yield segment.seqs, segment.columns
