"""Work over a source: its failed rows into the live version, or all of it into a new one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from ingest.failures import Ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.heartbeat import Stopped
from ingest.jobs.models import BULK, Done, NewItem, WorkItem
from ingest.jobs.store import JobRecords
from ingest.jobs.work import RetrySource
from ingest.pipeline import IngestTask, RunControl, Summary, fill_index
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import open_context
from ingest.tasks.reporting import SourceReporter
from vitrine.errors import Cancelled
from vitrine.fields import Mapping
from vitrine.index import VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["SourceJob", "fill_from_source", "retry_item", "retry_source", "says_stop"]


def retry_item(job_id: str, source: str) -> NewItem:
    """Take the rows of a source that are in the ledger."""
    return NewItem(BULK, f"source:{job_id}:{source}", RetrySource(source))


@dataclass(frozen=True)
class SourceJob:
    """A job that a worker holds while it reads a source."""

    vitrine: Vitrine
    store: JobRecords
    job_id: str
    check: Callable[[], None]
    """Raises `Cancelled` or `Stopped` when the work is no longer this worker's."""


def retry_source(job: SourceJob, ledger: Ledger, item: WorkItem, source: str) -> Done:
    """Bring a source's failed rows into the live version, under its own mapping and model.

    `Conflict` while a reindex or another ingest runs; `Cancelled` when the job has ended.
    """
    vitrine = job.vitrine
    with catalogue_lock(vitrine.settings, f"an ingest of {source}") as lost:
        live = vitrine.versions.live()
        mapping = Mapping.from_dict(live.info.mapping)
        task = IngestTask(
            open_source(source, vitrine.settings, mapping),
            mapping,
            live,
            only=ledger.rows(source),
        )
        context = open_context(vitrine, model=live.info.model)
        control = RunControl(cancelled=lambda: lost() or says_stop(job.check))
        with closing(context.work):
            summary = fill_index(task, context, control)
    job.check()
    if summary.cancelled:
        raise Cancelled("the lock of the catalogue was lost")
    return Done(item, summary.done + summary.unchanged, summary.failed)


def fill_from_source(job: SourceJob, source: str, target: VectorIndex) -> Summary:
    """Bring a source into the version under its own mapping.

    A picture that the live version knows by the same model is not embedded again, and a product
    whose picture cannot be had now is carried over with the one that it has there. Raises what
    `job.check` raises, and the errors of `ingest.pipeline.fill_index`.
    """
    vitrine = job.vitrine
    mapping = Mapping.from_dict(target.info.mapping)
    opened = open_source(source, vitrine.settings, mapping)
    task = IngestTask(opened, mapping, target, reuse_from=vitrine.versions.live())
    reporter = SourceReporter(job.store, job.job_id)
    control = RunControl(reporter, lambda: says_stop(job.check))
    context = open_context(vitrine, model=target.info.model)
    with closing(context.work):
        summary = fill_index(task, context, control)
    job.check()
    return summary


def says_stop(check: Callable[[], None]) -> bool:
    """Whether the worker is to leave the work."""
    try:
        check()
    except (Cancelled, Stopped):
        return True
    return False
