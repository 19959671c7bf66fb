"""Scheduled ingests: each run is started once, by whichever worker sees first that it is due."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ingest.jobs.models import Job, JobState, SourceReport
from ingest.jobs.schedules import Schedule, ScheduledRun, next_due
from ingest.jobs.store import JobStore
from ingest.tasks.ingest_job import ingest_job
from vitrine.errors import Conflict, NotFound

__all__ = ["Scheduler"]

log = logging.getLogger(__name__)


class Scheduler:
    """Starts runs that are due and notes what came of them; any number may work on one store."""

    def __init__(self, store: JobStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def look(self) -> None:
        """Note what has ended and start what is due.

        A run that no worker was there for is made up for, once. One that comes due while the last
        is under way begins when that one has ended.
        """
        for schedule in self._store.schedules():
            job = self._last_job(schedule)
            if job is not None and not job.state.final:
                continue
            if job is not None and not _is_noted(schedule, job):
                self._store.note_run(schedule.name, run_of(job))
            if schedule.due_s <= self._clock():
                self._start(schedule, next_due(schedule.times, schedule.zone, self._clock()))

    def run_now(self, name: str) -> str:
        """Start a run besides the times of its schedule; gives its job.

        `NotFound` for an unknown name, `Conflict` while its last run is under way.
        """
        schedule = next((s for s in self._store.schedules() if s.name == name), None)
        if schedule is None:
            raise NotFound(f"there is no schedule {name!r}")
        job = self._last_job(schedule)
        if job is not None and not job.state.final:
            raise Conflict(f"the last run of {name} is under way, job {job.id}", job_id=job.id)
        if job is not None and not _is_noted(schedule, job):
            self._store.note_run(schedule.name, run_of(job))
        started = self._start(schedule, schedule.due_s)
        if started is None:
            raise Conflict(f"the schedule {name} has just been changed or started; look again")
        return started

    def _start(self, schedule: Schedule, next_s: int) -> str | None:
        """The job of the run; None where another worker was quicker."""
        job, items = ingest_job(schedule.request)
        if not self._store.start_scheduled(schedule, job, items, next_s=next_s):
            return None
        log.info("schedule %s: job %s ingests %s", schedule.name, job.id, job.source)
        return job.id

    def _last_job(self, schedule: Schedule) -> Job | None:
        """The job of the latest run; None before the first, and when it is no longer kept."""
        if schedule.job_id is None:
            return None
        try:
            return self._store.job(schedule.job_id)
        except NotFound:
            return None


def run_of(job: Job) -> ScheduledRun:
    """The result of a job that has ended."""
    report = job.report or SourceReport()
    began_s = job.created_s if job.started_s is None else job.started_s
    return ScheduledRun(
        job.id,
        began_s,
        max(0.0, job.updated_s - began_s),
        _exit_status(job, report),
        done=report.done,
        unchanged=report.unchanged,
        failed=report.failed,
        left_out=report.left_out,
        removed=report.removed,
        message=job.error,
    )


def _exit_status(job: Job, report: SourceReport) -> int:
    """The exit status that `vitrine ingest` would have had."""
    if job.state is JobState.CANCELLED:
        return 130
    if report.refused:
        return 3
    if report.settled:
        return 1 if report.failed else 0
    return 2


def _is_noted(schedule: Schedule, job: Job) -> bool:
    return any(run.job_id == job.id for run in schedule.runs)
