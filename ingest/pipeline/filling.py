"""From a source into an open index: all stages at once."""

from __future__ import annotations

import os
import time
from functools import partial

from ingest.pipeline.embedding import Embedding
from ingest.pipeline.flow import Channel, Flow
from ingest.pipeline.models import Item, Pixels, Summary, Tally, Task, Tools, Watch, Write
from ingest.pipeline.preparing import Preparing
from ingest.pipeline.reading import Reading
from ingest.pipeline.writing import Writing
from ingest.runs import Run

__all__ = ["fill"]

_TICK_S = 0.25
_PIXELS = 32
"""Preprocessed pictures that may wait for the model; each has 600 kB at 224 x 224."""
_BATCHES = 2
"""Batches that are with the model at once."""


def fill(task: Task, tools: Tools, watch: Watch | None = None) -> Summary:
    """Bring a source into an index: new pictures are embedded, changed fields are patched, the rest is left alone.

    Broken rows and pictures go to the ledger. What the source does not name stays as it is. When `watch.cancelled` says so,
    what is under way is finished and the summary says `cancelled`; called again, it goes on from there. Raises what stopped
    it: `IndexUnavailable`, `StorageUnavailable`, `InvalidMapping` for a source without the mapping's columns, or an error of
    the model.
    """
    watch = watch or Watch()
    task.mapping.require_columns(task.source.columns(set(task.mapping.columns().values())))
    info = task.index.info
    run = tools.runs.begin(task.source.name, info.name)
    tally = Tally(task.source.name, tools.ledger, run.number)
    stopped_early = _Cancelling(watch)
    _run(task, tools, Watch(watch.progress, stopped_early), run, tally)
    if not stopped_early.happened:
        tools.ledger.settle(task.source.name, run.number)
        tools.runs.finish(run)
    return Summary(
        version=info.name,
        done=tally.done,
        embedded=tally.embedded,
        unchanged=tally.unchanged,
        failed=tally.reasons.total(),
        reasons=dict(tally.reasons.most_common()),
        seconds=time.monotonic() - tally.began,
        stages={name: round(seconds, 3) for name, seconds in tally.stages.items()},
        cancelled=stopped_early.happened,
    )


class _Cancelling:
    """Remembers that the reader was told to stop."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.happened = False

    def __call__(self) -> bool:
        self.happened = self.happened or self._watch.cancelled()
        return self.happened


def _run(task: Task, tools: Tools, watch: Watch, run: Run, tally: Tally) -> None:
    threads = tools.settings.decode_threads or os.cpu_count() or 1
    flow = Flow()
    items: Channel[list[Item]] = flow.channel(threads)
    pixels: Channel[Pixels] = flow.channel(_PIXELS)
    writes: Channel[Write] = flow.channel(2 * tools.settings.write_batch)
    flow.stage("read", lambda: Reading(task, tools, run, tally).work(watch, items), into=(items,))
    for number in range(threads):
        preparing = Preparing(task, tools, tally)
        flow.stage(
            f"prepare-{number}",
            partial(preparing.work, items, pixels, writes),
            into=(pixels, writes),
        )
    embedding = Embedding(tools, tally)
    for number in range(_BATCHES):
        flow.stage(f"embed-{number}", partial(embedding.work, pixels, writes), into=(writes,))
    flow.stage("write", lambda: Writing(task, tools, run, tally).work(writes))
    total = None if task.only is not None else task.source.count()
    flow.run(tick=lambda: watch.progress(tally.progress(total)), every_s=_TICK_S)
    watch.progress(tally.progress(total))
