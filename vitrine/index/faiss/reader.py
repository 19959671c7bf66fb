"""Keeping up with the record store: a query sees every write that was committed before it began.

A process keeps one `State` and a mark of what the record store and the snapshot folder said
before it was read: SQLite's data version moves with every commit of any process, the pointer file
with every new snapshot. Both cost microseconds to read. While neither moves, the state is
complete: a commit that the query must see has moved the data version before the query reads it.
When one moved, what is missing is added, the writes numbered above what the state knows. The mark
is read before the writes, so a commit in between is at worst read twice, never missed.

The first state is a snapshot's, where there is one. A newer one only holds what is known in
another form: it is opened beside the searches, and takes the state's place once all later writes
have been added to it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from vitrine.errors import IndexUnavailable, VitrineError
from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.stored import ColumnSpool
from vitrine.index.faiss.query.state import LiveSegment, MergedSegments, State
from vitrine.index.faiss.records.changes import RecordView
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.segment import Segment
from vitrine.index.faiss.snapshots.snapshots import Snapshots
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.storage.atomic import disk_errors

__all__ = ["StateReader"]

_BATCH = 1000
"""Records whose products and words are in memory at once while a state is made from them."""

_PAUSE_S = 0.02
"""Until the state is tidied: the search that has met new writes should have its answer first, as
both would take turns with the interpreter's lock."""
log = logging.getLogger(__name__)


class StateReader:
    """The newest `State` of one version, from the newest snapshot and the writes after it."""

    def __init__(
        self,
        store: RecordStore,
        snapshots: Snapshots,
        layout: Layout,
        *,
        timeout_s: float,
        device: SearchDevice | None = None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._layout = layout
        self._timeout_s = timeout_s
        self._device = device
        # the state, and what the record store and the snapshots said just before it was read
        self._latest: tuple[object, State | None] = (None, None)
        self._snapshot: str | None = None
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._tidying: threading.Thread | None = None
        self._closed = threading.Event()

    def current(self) -> State:
        """The state with every write committed before the call; microseconds when none is new."""
        known, state = self._latest
        if state is not None and known == self._mark():
            return state
        with self.view() as (state, _):
            return state

    @contextmanager
    def view(self) -> Iterator[tuple[State, RecordView]]:
        """The newest state, and the records as they are in it, whatever is written meanwhile.

        Threads that find new writes take turns: the first reads them, the others find them read.
        """
        with ExitStack() as stack:
            if not self._lock.acquire(timeout=self._timeout_s):
                raise IndexUnavailable(
                    f"the index is still being loaded after {self._timeout_s:g} s; try again"
                )
            try:
                before, mark = self._latest[1], self._mark()
                state = self._loaded(mark[1]) if before is None else before
                # after the snapshot, so that the view is never older than it
                records = stack.enter_context(self._store.view())
                state = self._followed(state, records)
                self._place(state, before=before)
                self._latest = (mark, state)
                self._tidy_in_background(state)
            finally:
                self._lock.release()
            yield state, records

    def _mark(self) -> tuple[object, str | None]:
        """What changes with every commit and with every snapshot; microseconds."""
        snapshot = self._snapshots.current()
        return self._store.version(), snapshot

    def _tidy_in_background(self, state: State) -> None:
        """Take up a newer snapshot and merge small segments beside the searches: both take longer
        than reading what is new. Called with the lock held."""
        running = self._tidying is not None and self._tidying.is_alive()
        if not running and not self._closed.is_set() and self._is_untidy(state):
            # the interpreter waits for it: a thread that it kills in numpy aborts the process
            self._tidying = threading.Thread(target=self._tidy, name="tidy-segments")
            self._tidying.start()

    def _is_untidy(self, state: State) -> bool:
        return bool(state.small_segments()) or self._newer_snapshot() is not None

    def _tidy(self) -> None:
        self._closed.wait(_PAUSE_S)
        failed_at = -1
        while not self._closed.is_set() and not self._ends_tidying(failed_at):
            seq, failed_at = self._known_seq(), -1
            try:
                self.take_snapshot()
            except VitrineError as error:
                log.warning("the newest snapshot is taken up with the next write: %s", error)
                failed_at = seq
            self._merge_small_segments()

    def _ends_tidying(self, failed_at: int) -> bool:
        """Whether nothing is left to do, or nothing was written since a snapshot could not be
        taken up.

        Searches hold the same lock while they look whether this thread runs, so what they leave to
        it is never missed.
        """
        with self._lock:
            state = self._latest[1]
            if state is not None and state.seq != failed_at and self._is_untidy(state):
                return False
            self._tidying = None
            return True

    def _known_seq(self) -> int:
        state = self._latest[1]
        return -1 if state is None else state.seq

    def _merge_small_segments(self) -> None:
        while not self._closed.is_set() and (state := self._latest[1]) is not None:
            small = state.small_segments()
            if not small:
                return
            merged = MergedSegments.of(small, self._layout)
            with self._lock:
                mark, before = self._latest
                if before is not None:
                    state = before.with_merged(merged)
                    self._place(state, before=before)
                    self._latest = (mark, state)

    def take_snapshot(self) -> None:
        """Go on from the newest snapshot, if another one is in use; searches need not wait."""
        with self._taking:
            before, name = self._snapshot, self._newer_snapshot()
            if name is None or self._latest[1] is None:
                return
            try:
                self._go_on_from(name)
            except BaseException:
                self._snapshot = before  # so that it counts as newer and is tried again
                raise

    def _go_on_from(self, snapshot: str) -> None:
        state = self._loaded(snapshot)
        if state.seq == 0:
            return
        with self._store.view() as records:
            state = self._followed(state, records)
        with self._lock:
            before, mark = self._latest[1], self._mark()
            with self._store.view() as records:
                state = self._followed(state, records)
            self._place(state, before=before)
            self._latest = (mark, state)

    def _newer_snapshot(self) -> str | None:
        """The newest snapshot's name unless it is, or was found unusable, already."""
        newest = self._snapshots.current()
        return newest if newest != self._snapshot else None

    def close(self) -> None:
        """End the tidying, and give back what is held on a device."""
        self._closed.set()
        tidying = self._tidying
        if tidying is not None:
            tidying.join(timeout=self._timeout_s)
        for entry in self._latest[1].segments if self._latest[1] else ():
            entry.segment.leave_device()

    def _place(self, state: State, *, before: State | None) -> None:
        """Have the segments searched on the device, and let those that are gone leave it."""
        if self._device is None:
            return
        segments = {entry.segment for entry in state.segments}
        for entry in before.segments if before else ():
            if entry.segment not in segments:
                entry.segment.leave_device()
        for segment in segments:
            segment.search_on(self._device)

    def _followed(self, state: State, records: RecordView) -> State:
        """The state with what the view knows and the state does not."""
        last = records.last_seq()
        if state.seq > last or state.seq == 0:  # an older file was put back, or nothing is known
            return self._from_records(records, last)
        if state.seq < last:
            for changes in records.changes(since=state.seq):
                state = state.with_changes(changes, seq=changes[-1].seq, layout=self._layout)
        return state if state.seq == last else replace(state, seq=last)

    def _loaded(self, snapshot: str | None) -> State:
        """The snapshot's state; one that knows nothing where it cannot be used."""
        for _ in range(3):  # a newer one may replace it while it is being opened
            self._snapshot = snapshot
            loaded = None if snapshot is None else self._snapshots.load(snapshot)
            if loaded is not None:
                return loaded
            snapshot = self._snapshots.current()
        return State((), 0)

    def _from_records(self, records: RecordView, last: int) -> State:
        """The state from the records alone: no id occurs twice in them, so none is looked up."""
        folder, numbers = self._snapshots.folder, []
        with disk_errors(folder), ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            # memory that the system may take back
            pictures, texts, parts, columns = (
                stack.enter_context(TemporaryFile(dir=folder)) for _ in range(4)
            )
            spool = ColumnSpool(parts, self._layout)
            for segment in self._batches(records):
                pictures.write(segment.pictures.rows.tobytes())
                texts.write(b"" if segment.texts is None else segment.texts.rows.tobytes())
                numbers.append((segment.seqs, np.diff(segment.pictures.offsets)))
                spool.add(segment.columns)
            if not numbers:
                return State((), last)
            picture_numbers, text_numbers = _mapped(pictures), _mapped(texts)
            joined = spool.joined(columns)
        seqs, lengths = (np.concatenate(listed) for listed in zip(*numbers, strict=True))
        rows = picture_numbers.reshape(int(lengths.sum()), -1)
        text_rows = text_numbers.reshape(len(seqs), -1)
        segment = Segment(
            seqs,
            ProductVectors(rows, np.concatenate(([0], np.cumsum(lengths)))),
            joined,
            texts=ProductVectors.one_each(text_rows) if text_rows.size else None,
        )
        return State((LiveSegment.of(segment),), last)

    def _batches(self, records: RecordView) -> Iterator[Segment]:
        """All records, some at a time."""
        for changes in records.changes(since=0, batch=_BATCH):
            if any(change.product is not None for change in changes):
                yield Segment.of(changes, self._layout)


def _mapped(file: IO[bytes]) -> NDArray[np.float32]:
    """All numbers of the file; they outlive its name."""
    file.flush()
    if not file.tell():
        return np.zeros(0, np.float32)
    return np.asarray(np.memmap(file, np.float32, mode="r"))
