"""The work of one item of a reindex."""

from __future__ import annotations

from ingest.jobs.models import Done, WorkItem
from ingest.jobs.work import CopyRange, FillFromSource, FinishReindex, PlanReindex
from ingest.tasks.reindex.finish import finish_reindex
from ingest.tasks.reindex.plan import plan_reindex
from ingest.tasks.reindex.stages import ReindexRun
from ingest.tasks.reporting import settled_report
from ingest.tasks.source import SourceJob, fill_from_source

__all__ = ["run_reindex_item"]


def run_reindex_item(run: ReindexRun, item: WorkItem) -> Done:
    """Do one item.

    Raises `Cancelled` when the job has ended, `NotVerified`, or what stands in the way.
    """
    match item.work:
        case PlanReindex():
            plan_reindex(run)
        case CopyRange(after, upto):
            return _copy_range(run, item, after, upto)
        case FillFromSource(source):
            job = SourceJob(run.vitrine, run.store, run.job.id, run.beat.check)
            summary = fill_from_source(job, source, run.target)
            done = summary.done + summary.unchanged
            return Done(item, done, summary.failed, report=settled_report(summary))
        case FinishReindex():
            finish_reindex(run)
        case work:
            raise TypeError(f"{type(work).__name__} is no work of a reindex")
    return Done(item, 0)


def _copy_range(run: ReindexRun, item: WorkItem, after: str | None, upto: str | None) -> Done:
    result = run.copier().copy_range(after, upto)
    for failure in result.failures:
        run.ledger.add(failure)
    first = result.failures[0] if result.failures else None
    error = None if first is None else f"{first.id}: {first.message}"
    return Done(item, result.done, len(result.failures), error)
