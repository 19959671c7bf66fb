"""First stage: rows become products, or entries of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ingest.pictures import pictures_of
from ingest.pipeline.flow import Channel
from ingest.pipeline.models import IngestTask, PipelineContext, RunControl, RunStats, SourceProduct
from ingest.runs import Run
from ingest.sources import BrokenRow, LeftOutRow, Row
from vitrine.errors import InvalidImage, InvalidProduct

__all__ = ["CHUNK", "ReadStage"]

CHUNK = 8
"""Products handed on together; a compromise between traffic and the pictures held in memory."""


class ReadStage:
    """Reads the source in order, so that of two rows with one id the first wins."""

    def __init__(
        self, task: IngestTask, context: PipelineContext, run: Run, stats: RunStats
    ) -> None:
        self._task = task
        self._runs = context.runs
        self._run = run
        self._stats = stats

    def work(self, control: RunControl, out: Channel[list[SourceProduct]]) -> None:
        """Read until the source or somebody's patience ends."""
        rows = iter(self._task.source.rows())
        while not control.cancelled():
            with self._stats.timed("read"):
                chunk = list(islice(rows, CHUNK))
                items = list(self._items(chunk))
            if not chunk:
                return
            if items:
                out.put(items)

    def _items(self, rows: list[Row | BrokenRow | LeftOutRow]) -> Iterator[SourceProduct]:
        products = [item for row in rows if (item := self._item(row)) is not None]
        seen = self._runs.record_seen(self._run, [(item.product.id, item.row) for item in products])
        for item, seen_id in zip(products, seen, strict=True):
            if not self._wanted(item.row):
                continue
            if seen_id.duplicate_of is not None:
                message = f"the id {item.product.id!r} stands in row {seen_id.duplicate_of} already; that one was kept"
                self._stats.failed(item.row, item.product.id, "fields", "duplicate_id", message)
            else:
                yield SourceProduct(item.row, item.product, item.picture, seen_id.digest)

    def _item(self, row: Row | BrokenRow | LeftOutRow) -> SourceProduct | None:
        if isinstance(row, LeftOutRow):
            self._stats.leave_out(row.reason)
            return None
        if isinstance(row, BrokenRow):
            self._failed(row.number, None, "read", "broken_row", row.message)
            return None
        mapping = self._task.mapping
        product_id: str | None = None
        try:
            mapped = mapping.read_row(row.values, row.number)
            product_id = mapped.product.id
            pictures = pictures_of(
                mapped.images, row.base, mapping.images, mapping.product.images.split
            )
            return SourceProduct(row.number, mapped.product, pictures[0])
        except InvalidProduct as error:
            product_id = mapping.raw_id(row.values)
            self._failed(row.number, product_id, "fields", "invalid_field", str(error))
        except InvalidImage as error:
            if self._wanted(row.number):
                self._stats.without_picture(row.number, product_id, error)
        return None

    def _failed(
        self, row: int, product_id: str | None, stage: str, reason: str, message: str
    ) -> None:
        if self._wanted(row):
            self._stats.failed(row, product_id, stage, reason, message)

    def _wanted(self, row: int) -> bool:
        return self._task.only is None or row in self._task.only
