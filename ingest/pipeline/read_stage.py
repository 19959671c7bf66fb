"""First stage: products go on, other rows become entries of the ledger."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from ingest.pipeline.flow import Channel
from ingest.pipeline.models import IngestTask, PipelineContext, RunStats
from ingest.reading.outcomes import FailedRow, RowChunk, RowOutcome, RowReading, SourceProduct
from ingest.reading.rows import Rows, rows_of
from ingest.runs import Run
from ingest.sources import LeftOutRow

__all__ = ["ReadStage", "source_rows"]


def source_rows(task: IngestTask, context: PipelineContext) -> Rows:
    """The rows of a task's source, read beside the decoding processes where there are any."""
    settings = context.settings
    most_pictures = min(settings.max_images, task.index.info.max_images)
    reading = RowReading(task.source, task.mapping, context.work.chunk, most_pictures)
    return rows_of(
        reading, out_of_process=context.work.out_of_process, memory_mb=settings.read_memory_mb
    )


class ReadStage:
    """Takes the rows in order, so that of two with one id the first wins."""

    def __init__(
        self, task: IngestTask, context: PipelineContext, run: Run, stats: RunStats
    ) -> None:
        self._task = task
        self._runs = context.runs
        self._run = run
        self._stats = stats

    def work(
        self, chunks: Generator[RowChunk, None, None], out: Channel[list[SourceProduct]]
    ) -> None:
        """Hand on what the chunks hold."""
        with closing(chunks):
            for chunk in chunks:
                with self._stats.timed("read"):
                    items = list(self._items(chunk.outcomes))
                self._stats.took({"read": chunk.seconds})
                self._stats.share = chunk.share
                if items:
                    out.put(items)

    def _items(self, outcomes: list[RowOutcome]) -> Iterator[SourceProduct]:
        products = [item for outcome in outcomes if (item := self._product(outcome)) is not None]
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

    def _product(self, outcome: RowOutcome) -> SourceProduct | None:
        """The product of a row; what else is to be told of it goes to the ledger."""
        if isinstance(outcome, LeftOutRow):
            self._stats.place(outcome.number, outcome.place)
            self._stats.leave_out(outcome.reason)
            return None
        self._stats.place(outcome.row, outcome.place)
        if isinstance(outcome, FailedRow):
            if self._in_task(outcome.row):
                self._stats.failed(
                    outcome.row,
                    outcome.product_id,
                    outcome.stage,
                    outcome.reason,
                    outcome.message,
                )
            return None
        if outcome.warnings and self._in_task(outcome.row):
            self._warn(outcome)
        return outcome

    def _warn(self, item: SourceProduct) -> None:
        for warning in item.warnings:
            message = f"{warning.field}: {warning.message}"
            self._stats.warnings.add(warning.reason, message, id=item.product.id, place=item.place)

    def _in_task(self, row: int) -> bool:
        return self._task.only is None or row in self._task.only
