"""Reports the progress of a job through its source, and the outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ingest.jobs.models import SourceReport
from ingest.jobs.store import JobRecords
from ingest.notices import Notices
from ingest.pipeline import Progress, Summary
from vitrine.errors import StorageUnavailable

__all__ = ["SourceReporter", "settled_report"]

log = logging.getLogger(__name__)

EVERY_S = 2.0
"""Between two reports: each is a durable write, and nobody looks more often."""


class SourceReporter:
    """Passes the progress of a run on to the job store, a few times a minute and never by row."""

    def __init__(
        self,
        store: JobRecords,
        job_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._job_id, self._clock = store, job_id, clock
        self._began = clock()
        self._due = self._began
        self._notices = Notices(log)

    def __call__(self, progress: Progress) -> None:
        """Report it, unless the last report is recent; an unreachable store is logged."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY_S
        try:
            self._store.report(self._job_id, self._report(progress))
        except StorageUnavailable as error:
            self._notices.tell(f"job {self._job_id} goes on but cannot say how far it is: {error}")

    def _report(self, progress: Progress) -> SourceReport:
        share = progress.share
        return SourceReport(
            done=progress.done + progress.unchanged,
            unchanged=progress.unchanged,
            failed=progress.failed,
            left_out=progress.left_out,
            total=progress.total,
            share=share,
            rate=progress.rate,
            eta_s=progress.eta_s if share is None else self._left_s(share),
            nodes=progress.nodes,
        )

    def _left_s(self, share: float) -> float | None:
        """Seconds left where the rows cannot be counted: the rest goes as fast as what was read."""
        return (self._clock() - self._began) * (1 - share) / share if share else None


def settled_report(summary: Summary) -> SourceReport:
    """How a source came out whose rows are counted by the job itself."""
    left_out = sum(summary.left_out.values())
    done = summary.done + summary.unchanged
    return SourceReport(
        done=done,
        unchanged=summary.unchanged,
        failed=summary.failed,
        left_out=left_out,
        removed=summary.removed,
        total=done + summary.failed + left_out,
        rate=done / summary.seconds if done and summary.seconds > 0 else None,
        eta_s=0.0,
        settled=True,
        refused=summary.refusal is not None,
        batch=summary.batch,
    )
