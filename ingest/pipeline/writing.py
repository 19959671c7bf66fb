"""Last stage, one thread: records go into the index, many at once."""

from __future__ import annotations

import time
from functools import partial

from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.models import Tally, Task, Tools, Write
from ingest.pipeline.patience import patiently
from ingest.runs import Run
from vitrine.errors import NotFound
from vitrine.products import Product, Record

__all__ = ["Writing"]

_WAIT_S = 2.0
"""Seconds after which what has gathered is written, full batch or not."""


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
        with self._tally.timed("write"):
            if records:
                patiently(lambda: self._index.upsert(records))
            gone = self._patch([one for one in batch if isinstance(one.what, Product)])
            noted = [
                (one.id, one.digest)
                for one in batch
                if one.digest is not None and one.id not in gone
            ]
            if noted:
                self._runs.note(self._run, noted)
        self._tally.count(done=len(batch) - len(gone))

    def _patch(self, batch: list[Write]) -> set[str]:
        """Write changed fields; gives the ids of products that somebody has deleted meanwhile."""
        gone: set[str] = set()
        while products := [
            one.what for one in batch if isinstance(one.what, Product) and one.id not in gone
        ]:
            try:
                patiently(partial(self._index.patch_products, products))
                break
            except NotFound:
                known = patiently(partial(self._index.stamps, [product.id for product in products]))
                gone |= {product.id for product in products if product.id not in known}
        for one in batch:
            if one.id in gone:
                message = "somebody deleted the product while it was being ingested; ingest again if it is to be there"
                self._tally.failed(one.row, one.id, "write", "deleted_meanwhile", message)
        return gone
