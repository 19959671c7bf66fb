"""First stage: rows become products, or entries of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ingest.pictures import picture_of
from ingest.pipeline.flow import Channel
from ingest.pipeline.models import IngestTask, PipelineContext, RunControl, RunStats, SourceProduct
from ingest.runs import Run
from ingest.sources import BrokenRow, Row
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

    def _items(self, rows: list[Row | BrokenRow]) -> Iterator[SourceProduct]:
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

    def _item(self, row: Row | BrokenRow) -> SourceProduct | None:
        if isinstance(row, BrokenRow):
            self._failed(row.number, None, "read", "broken_row", row.message)
            return None
        mapping = self._task.mapping
        product_id: str | None = None
        try:
            product = mapping.read(row.values, row.number)
            product_id = product.id
            return SourceProduct(
                row.number, product, picture_of(row.values.get(mapping.product.image), row.base)
            )
        except InvalidProduct as error:
            self._failed(
                row.number, _raw_id(row, mapping.product.id), "fields", "invalid_field", str(error)
            )
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


def _raw_id(row: Row, column: str) -> str | None:
    value = row.values.get(column)
    return str(value)[:512] if isinstance(value, str | int) and str(value).strip() else None
