"""Last stage, one thread: records go into the index, many at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.values import Tally, Task, Tools, Write
from ingest.runs import Run
from vitrine.errors import IndexUnavailable
from vitrine.products import Product, Record

__all__ = ["Writing"]

_WAIT_S = 2.0
"""Seconds after which what has gathered is written, full batch or not."""
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts while the index cannot answer."""


class Writing:
    """Writes batches; a product counts as done when the index has it."""

    def __init__(self, task: Task, tools: Tools, run: Run, tally: Tally) -> None:
        self._index = task.index
        self._runs = tools.runs
        self._size = tools.settings.write_batch
        self._run = run
        self._tally = tally

    def work(self, given: Channel[Write]) -> None:
        """Write until nothing comes any more."""
        waiting: list[Write] = []
        until = 0.0
        while True:
            try:
                found = given.take(max(0.0, until - time.monotonic()) if waiting else None)
            except Closed:
                break
            if found is not None:
                until = until if waiting else time.monotonic() + _WAIT_S
                waiting.append(found)
            if len(waiting) >= self._size or (waiting and time.monotonic() >= until):
                self._write(waiting)
                waiting = []
        if waiting:
            self._write(waiting)

    def _write(self, batch: list[Write]) -> None:
        records = [one.what for one in batch if isinstance(one.what, Record)]
        products = [one.what for one in batch if isinstance(one.what, Product)]
        with self._tally.timed("write"):
            if records:
                _persist(lambda: self._index.upsert(records))
            if products:
                _persist(lambda: self._index.patch_products(products))
            noted = [(_id(one), one.digest) for one in batch if one.digest is not None]
            if noted:
                self._runs.note(self._run, noted)
        self._tally.count(done=len(batch))


def _persist(write: Callable[[], None]) -> None:
    """Try again while the index cannot answer; a write is all or nothing, so repeating it does no harm."""
    for pause in _PAUSES_S:
        try:
            return write()
        except IndexUnavailable:
            time.sleep(pause)
    return write()


def _id(one: Write) -> str:
    return one.what.product.id if isinstance(one.what, Record) else one.what.id
