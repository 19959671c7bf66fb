"""Last stage, one thread: records go into the index, many at once."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from ingest.pipeline.embed_stage import NoVector
from ingest.pipeline.flow import Channel, Closed
from ingest.pipeline.models import IngestTask, PendingWrite, PipelineContext, RunStats
from ingest.pipeline.retry import retry_while_unavailable
from ingest.runs import Run
from ingest.text_vectors import TextVectors
from vitrine.errors import InvalidImage, NotFound
from vitrine.products import Record, record_batches

__all__ = ["WriteStage"]

_WAIT_S = 2.0
"""Seconds after which what has gathered is written, full batch or not."""


class WriteStage:
    """Writes batches; a product counts as done when the index has it."""

    def __init__(
        self, task: IngestTask, context: PipelineContext, run: Run, stats: RunStats
    ) -> None:
        self._index = task.index
        self._texts = TextVectors(task.index, lambda: context.embedder, reuse_from=task.reuse_from)
        self._runs = context.runs
        self._size = context.settings.write_batch
        self._run = run
        self._stats = stats
        self._failed: set[str] = set()

    def work(self, incoming: Channel[PendingWrite]) -> None:
        """Write until nothing comes any more."""
        waiting: list[PendingWrite] = []
        until = 0.0
        while True:
            try:
                patience = max(0.0, until - time.monotonic()) if waiting else None
                more = incoming.take_some(self._size - len(waiting), patience)
            except Closed:
                break
            if more:
                until = until if waiting else time.monotonic() + _WAIT_S
                waiting += more
            if len(waiting) >= self._size or (waiting and time.monotonic() >= until):
                self._write(waiting)
                waiting = []
        if waiting:
            self._write(waiting)

    def _write(self, batch: list[PendingWrite]) -> None:
        records = [record for write in batch if (record := self._record(write)) is not None]
        written = {record.product.id for record in records}
        with self._stats.timed("write"):
            for part in record_batches(records, most=self._size):
                retry_while_unavailable(partial(self._index.upsert, part))
            patches = [write for write in batch if write.id not in written and write.known]
            deleted = self._patch(patches)
            written |= {write.id for write in patches} - deleted
            digests = [
                (write.id, write.digest)
                for write in batch
                if write.digest is not None and write.id in written
            ]
            if digests:
                self._runs.save_digests(self._run, digests)
        failed = sum(write.id in written & self._failed for write in batch)
        done = sum(write.id in written for write in batch) - failed
        self._stats.count(done=done, incomplete=failed)

    def _record(self, write: PendingWrite) -> Record | None:
        """The record, once its vectors are there; None when only fields are to be written."""
        try:
            vectors = [vector.wait() for vector in write.vectors]
        except InvalidImage as error:
            self._stats.without_picture(write.row, write.id, error)
        except NoVector as error:
            self._stats.failed(write.row, write.id, "embed", "no_vector", str(error))
        else:
            if write.failed:
                self._failed.add(write.id)
            if not vectors:
                return None
            text = None if write.text is None else write.text.wait()
            return Record(write.product, np.array(vectors), write.image_keys, text)
        self._failed.add(write.id)
        return None

    def _patch(self, batch: list[PendingWrite]) -> set[str]:
        """Write changed fields; gives the ids of products that somebody has deleted meanwhile."""
        deleted: set[str] = set()
        while products := [write.product for write in batch if write.id not in deleted]:
            try:
                retry_while_unavailable(partial(self._texts.patch_products, products))
                break
            except NotFound:
                known = retry_while_unavailable(
                    partial(self._index.stamps, [product.id for product in products])
                )
                deleted |= {product.id for product in products if product.id not in known}
        for write in batch:
            if write.id in deleted:
                message = (
                    "somebody deleted the product while it was being ingested; ingest again if it"
                    " is to be there"
                )
                self._stats.failed(write.row, write.id, "write", "deleted_meanwhile", message)
        return deleted
