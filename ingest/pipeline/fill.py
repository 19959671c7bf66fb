"""From a source into an open index: all stages at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from ingest.pipeline.embed_stage import EmbedStage, TextStage
from ingest.pipeline.flow import Channel, Flow
from ingest.pipeline.models import (
    IngestTask,
    PendingWrite,
    PipelineContext,
    PreparedImage,
    PreparedText,
    RunControl,
    RunStats,
    Summary,
)
from ingest.pipeline.prepare_stage import PrepareStage
from ingest.pipeline.read_stage import ReadStage, source_rows
from ingest.pipeline.run_pictures import RunPictures
from ingest.pipeline.run_texts import RunTexts
from ingest.pipeline.write_stage import WriteStage
from ingest.reading.outcomes import SourceProduct
from ingest.reading.rows import Rows
from ingest.runs import Run

__all__ = ["fill_index"]

_TICK_S = 0.25
_IDS = 10_000
"""Products that are looked up at once."""
_PIXELS = 32
"""Preprocessed pictures that may wait for the model; each has 150 kB at 224 x 224."""


def fill_index(
    task: IngestTask,
    context: PipelineContext,
    control: RunControl | None = None,
    *,
    complete: Callable[[Run], None] = lambda _: None,
) -> Summary:
    """Bring a source into an index: new pictures are embedded, changed fields are patched.

    Broken rows and pictures go to the ledger. What the source does not name stays as it is, unless
    `complete` does something about it: it is called when the whole source has been read, while the
    ids that were seen are still known. When `control.cancelled` says so, what is under way is
    finished and the summary says `cancelled`; called again, it goes on from there. Raises what
    stopped it: `IndexUnavailable`, `StorageUnavailable`, `InvalidMapping` for a source without the
    mapping's columns, or an error of the model.
    """
    control = control or RunControl()
    task.mapping.require_columns(task.source.columns(set(task.mapping.columns().values())))
    info = task.index.info
    run = context.runs.begin(task.source.name, info.name)
    stats = RunStats(task.source.name, context.ledger, run.number)
    stopped_early = _Cancelling(control)
    rows = source_rows(task, context)
    batch = _run(task, context, RunControl(control.progress, stopped_early), run, stats, rows=rows)
    for note in rows.notes():
        stats.warnings.add("guess", note)
    warnings = stats.warnings.finish()
    if not stopped_early.happened:
        complete(run)
        context.ledger.drop_resolved(task.source.name, run.number)
        if task.only is None:
            _clear_elsewhere(context, run)
            context.ledger.note_warnings(task.source.name, warnings)
        context.runs.finish(run)
    return Summary(
        version=info.name,
        done=stats.done,
        embedded=stats.embedded,
        unchanged=stats.unchanged,
        failed=stats.reasons.total(),
        incomplete=stats.incomplete,
        reasons=dict(stats.reasons.most_common()),
        left_out=dict(stats.left_out.most_common()),
        warnings=stats.warnings.by_reason(),
        seconds=time.monotonic() - stats.began,
        stages={name: round(seconds, 3) for name, seconds in stats.stages.items()},
        device=context.embedder.compute.device,
        precision=context.embedder.compute.precision,
        batch=batch,
        cancelled=stopped_early.happened,
        nodes=context.work.nodes,
    )


def _clear_elsewhere(context: PipelineContext, run: Run) -> None:
    """Drop failures that products of this run have in other catalogues; those of this run stay."""
    failed = context.ledger.failed_elsewhere(run.source)
    for start in range(0, len(failed), _IDS):
        taken = context.runs.seen_ids(run, failed[start : start + _IDS])
        context.ledger.clear_elsewhere(run.source, taken)


class _Cancelling:
    """Remembers that the reader was told to stop."""

    def __init__(self, control: RunControl) -> None:
        self._control = control
        self.happened = False

    def __call__(self) -> bool:
        self.happened = self.happened or self._control.cancelled()
        return self.happened


def _run(
    task: IngestTask,
    context: PipelineContext,
    control: RunControl,
    run: Run,
    stats: RunStats,
    *,
    rows: Rows,
) -> int:
    """Run all stages to their end; gives the size of batches that they came to."""
    flow = Flow()
    items: Channel[list[SourceProduct]] = flow.channel(context.work.chunks)
    pixels: Channel[PreparedImage] = flow.channel(_PIXELS)
    texts: Channel[PreparedText] = flow.channel(context.settings.write_batch)
    embedding = EmbedStage(context, stats)
    waiting = (context.work.batches + 1) * embedding.batch.largest
    writes: Channel[PendingWrite] = flow.channel(2 * context.settings.write_batch + waiting)
    reading = ReadStage(task, context, run, stats)
    chunks = rows.chunks(lambda: flow.stopped or control.cancelled())
    flow.stage("read", partial(reading.work, chunks, items), into=(items,))
    pictures, run_texts = RunPictures(flow), RunTexts(task, context, flow, texts)
    for number in range(context.work.chunks):
        preparing = PrepareStage(task, context, stats, pictures, run_texts)
        flow.stage(
            f"prepare-{number}",
            partial(preparing.work, items, pixels, writes),
            into=(pixels, texts, writes),
        )
    for number in range(context.work.batches):
        flow.stage(f"embed-{number}", partial(embedding.work, pixels))
    flow.stage("texts", lambda: TextStage(context, stats).work(texts))
    flow.stage("write", lambda: WriteStage(task, context, run, stats).work(writes))
    total = None if task.only is not None else task.source.count()

    def tell() -> None:
        control.progress(stats.progress(total, context.work.nodes))

    flow.run(tick=tell, every_s=_TICK_S)
    tell()
    return embedding.batch.size
