"""`vitrine ingest` as a job of a worker: the same run, with the same promises."""

from __future__ import annotations

from ingest.catalogue import MappingChoice, choose_mapping
from ingest.jobs.models import (
    BULK,
    Done,
    IngestRequest,
    Job,
    Kind,
    NewItem,
    SourceReport,
    WorkItem,
    new_job_id,
)
from ingest.jobs.requests import IngestMode
from ingest.jobs.work import IngestSource
from ingest.pipeline import RunControl, Summary
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import IngestOptions, run
from ingest.tasks.reporting import SourceReporter, settled_report
from ingest.tasks.source import SourceJob, says_stop
from vitrine.errors import CatalogueBusy, SourceUnavailable, VitrineError
from vitrine.fields import Mapping
from vitrine.settings import FetchSettings

__all__ = ["Refused", "ingest_job", "ingest_source"]

_NOTHING = "none of its rows could be ingested; see `vitrine failures`"


class Refused(VitrineError):
    """The source is not to be trusted, so nothing was changed; the text says why."""


def ingest_job(request: IngestRequest) -> tuple[Job, list[NewItem]]:
    """A job that ingests, and its one item."""
    job = Job(new_job_id(Kind.INGEST), Kind.INGEST, request)
    return job, [NewItem(BULK, f"ingest:{job.id}", IngestSource())]


def ingest_source(job: SourceJob, item: WorkItem, request: IngestRequest) -> Done:
    """Ingest the source of a request.

    `Refused` when more than MAX_SHRINK of the live products would go, or the source is empty or
    cannot be had from its address.
    `CatalogueBusy` while a reindex or another ingest runs. Raises what `job.check` raises, and the
    errors of `choose_mapping` and `bulk_ingest.run`.
    """
    try:
        summary = _run(job, request)
    except SourceUnavailable as error:
        job.store.report(job.job_id, SourceReport(refused=True))
        raise Refused(f"nothing was changed: {error}") from None
    job.check()
    if summary.cancelled:
        raise CatalogueBusy("the run was interrupted; it continues where it stopped")
    if summary.refusal is not None:
        job.store.report(job.job_id, settled_report(summary))
        raise Refused(summary.refusal)
    return _outcome(job, item, summary)


def _run(job: SourceJob, request: IngestRequest) -> Summary:
    settings = job.vitrine.settings
    mapping = _mapping(request, settings)
    source = open_source(request.source, settings, mapping)
    reporter = SourceReporter(job.store, job.job_id)
    control = RunControl(reporter, lambda: says_stop(job.check))
    options = IngestOptions(IngestMode(request.mode), request.allow_shrink)
    return run(job.vitrine, source, mapping, control=control, options=options)


def _mapping(request: IngestRequest, settings: FetchSettings) -> Mapping:
    if request.mapping is not None:
        return Mapping.from_dict(request.mapping)
    choice = MappingChoice(None, request.currency, request.images, request.language)
    return choose_mapping(request.source, settings, choice).mapping


def _outcome(job: SourceJob, item: WorkItem, summary: Summary) -> Done:
    report = settled_report(summary)
    job.store.describe(job.job_id, total=report.total, version=summary.version)
    error = _NOTHING if summary.failed and not report.done else None
    return Done(item, report.done, report.failed, error, report)
