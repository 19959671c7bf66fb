"""Work over a source: its failed rows into the live version, or all of it into a new one."""

from __future__ import annotations

from collections.abc import Callable

from ingest.failures import Ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.heartbeat import Heartbeat, Stopped
from ingest.jobs.models import BULK, Done, NewItem, WorkItem
from ingest.jobs.work import RetrySource
from ingest.pipeline import IngestTask, RunControl, Summary, fill_index
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import open_context
from vitrine.errors import Cancelled
from vitrine.fields import Mapping
from vitrine.index import VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["fill_from_source", "retry_item", "retry_source"]


def retry_item(job_id: str, source: str) -> NewItem:
    """Take the rows of a source that are in the ledger."""
    return NewItem(BULK, f"source:{job_id}:{source}", RetrySource(source))


def retry_source(
    vitrine: Vitrine, ledger: Ledger, item: WorkItem, work: RetrySource, beat: Heartbeat
) -> Done:
    """Bring a source's failed rows into the live version, under its own mapping and model.

    `Conflict` while a reindex or another ingest runs; `Cancelled` when the job has ended.
    """
    with catalogue_lock(vitrine.settings, f"an ingest of {work.source}") as lost:
        live = vitrine.versions.live()
        mapping = Mapping.from_dict(live.info.mapping)
        task = IngestTask(
            open_source(work.source, vitrine.settings, mapping),
            mapping,
            live,
            only=ledger.rows(work.source),
        )
        context = open_context(vitrine, model=live.info.model)
        control = RunControl(cancelled=lambda: lost() or _says_stop(beat.check))
        summary = fill_index(task, context, control)
    beat.check()
    if summary.cancelled:
        raise Cancelled("the lock of the catalogue was lost")
    return Done(item, summary.done + summary.unchanged, summary.failed)


def fill_from_source(
    vitrine: Vitrine, source: str, target: VectorIndex, check: Callable[[], None]
) -> Summary:
    """Bring a source into the version under its own mapping.

    A picture that the live version knows by the same model is not embedded again, and a product
    whose picture cannot be had now is carried over with the one that it has there. Raises what
    `check` raises, and the errors of `ingest.pipeline.fill_index`.
    """
    mapping = Mapping.from_dict(target.info.mapping)
    task = IngestTask(
        open_source(source, vitrine.settings, mapping),
        mapping,
        target,
        reuse_from=vitrine.versions.live(),
    )
    summary = fill_index(
        task,
        open_context(vitrine, model=target.info.model),
        RunControl(cancelled=lambda: _says_stop(check)),
    )
    check()
    return summary


def _says_stop(check: Callable[[], None]) -> bool:
    try:
        check()
    except (Cancelled, Stopped):
        return True
    return False
