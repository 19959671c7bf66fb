"""First stage: rows become products, or entries of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ingest.pictures import pictures_of
from ingest.pipeline.flow import Channel
from ingest.pipeline.models import IngestTask, PipelineContext, RunControl, RunStats, SourceProduct
from ingest.runs import Run
from ingest.sources import BrokenRow, LeftOutRow, Row
from vitrine.errors import InvalidImage, InvalidProduct
from vitrine.fields.mapping import MappedRow

__all__ = ["ReadStage"]


class ReadStage:
    """Reads the source in order, so that of two rows with one id the first wins."""

    def __init__(
        self, task: IngestTask, context: PipelineContext, run: Run, stats: RunStats
    ) -> None:
        self._task = task
        self._runs = context.runs
        self._run = run
        self._stats = stats
        self._chunk = context.work.chunk
        self._most_pictures = min(context.settings.max_images, task.index.info.max_images)

    def work(self, control: RunControl, out: Channel[list[SourceProduct]]) -> None:
        """Read until the source or somebody's patience ends."""
        rows = iter(self._task.source.rows())
        while not control.cancelled():
            with self._stats.timed("read"):
                chunk = list(islice(rows, self._chunk))
                items = list(self._items(chunk))
            if not chunk:
                return
            if items:
                out.put(items)

    def _items(self, rows: list[Row | BrokenRow | LeftOutRow]) -> Iterator[SourceProduct]:
        products = [item for row in rows if (item := self._item(row)) is not None]
        seen = self._runs.record_seen(self._run, [(item.product.id, item.row) for item in products])
        for item, seen_id in zip(products, seen, strict=True):
            if not self._in_task(item.row):
                continue
            if seen_id.duplicate_of is not None:
                first = self._stats.places.get(seen_id.duplicate_of, "an earlier row")
                message = f"the id {item.product.id!r} stands in {first} already; that one was kept"
                self._stats.failed(item.row, item.product.id, "fields", "duplicate_id", message)
            else:
                yield item if seen_id.digest is None else replace(item, digest=seen_id.digest)

    def _item(self, row: Row | BrokenRow | LeftOutRow) -> SourceProduct | None:
        self._stats.place(row.number, row.place)
        if isinstance(row, LeftOutRow):
            self._stats.leave_out(row.reason)
            return None
        if isinstance(row, BrokenRow):
            self._failed(row.number, None, "read", "broken_row", row.message)
            return None
        mapping = self._task.mapping
        try:
            mapped = mapping.read_row(row.values, row.number)
            self._warn(row, mapped)
            return self._with_pictures(row, mapped)
        except InvalidProduct as error:
            product_id = mapping.raw_id(row.values)
            self._failed(row.number, product_id, "fields", "invalid_field", str(error))
        return None

    def _warn(self, row: Row, mapped: MappedRow) -> None:
        if self._in_task(row.number):
            for warning in mapped.warnings:
                message = f"{warning.field}: {warning.message}"
                self._stats.warnings.add(
                    warning.reason, message, id=mapped.product.id, place=row.place
                )

    def _with_pictures(self, row: Row, mapped: MappedRow) -> SourceProduct:
        mapping = self._task.mapping
        try:
            pictures = pictures_of(
                mapped.images, row.base, mapping.images, mapping.product.images.split
            )
        except InvalidImage as error:
            return SourceProduct(row.number, mapped.product, (), refusal=error)
        return SourceProduct(row.number, mapped.product, pictures[: self._most_pictures])

    def _failed(
        self, row: int, product_id: str | None, stage: str, reason: str, message: str
    ) -> None:
        if self._in_task(row):
            self._stats.failed(row, product_id, stage, reason, message)

    def _in_task(self, row: int) -> bool:
        return self._task.only is None or row in self._task.only
