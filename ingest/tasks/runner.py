"""What a worker does: take work from the store, do it, settle it, until there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from ingest.failures import open_ledger
from ingest.jobs.heartbeat import Heartbeat, Stopped
from ingest.jobs.models import (
    BULK,
    WRITES,
    Done,
    IngestRequest,
    Job,
    JobState,
    Kind,
    Outcome,
    Retry,
    WorkItem,
)
from ingest.jobs.processes import ProcessName
from ingest.jobs.store import JobStore
from ingest.jobs.work import RetrySource
from ingest.notices import Notices
from ingest.tasks.ingest_job import ingest_source
from ingest.tasks.live_writes import LiveWrites
from ingest.tasks.picture_removal import PictureRemoval
from ingest.tasks.picture_work import SharedPictureWork
from ingest.tasks.reindex import discard_unfinished, next_items, run_reindex_item
from ingest.tasks.reindex.stages import ReindexRun
from ingest.tasks.retry_policy import DEADLY, is_outage, retry_with_backoff
from ingest.tasks.source import SourceJob, retry_source
from vitrine.errors import (
    Cancelled,
    CatalogueBusy,
    Conflict,
    IndexUnavailable,
    NotFound,
    StorageUnavailable,
    VitrineError,
)
from vitrine.wiring import Vitrine

__all__ = ["Runner"]

log = logging.getLogger(__name__)

_WRITES = 64
"""Products written together; small, so that a slow picture does not hold many others."""

_SETTLE_TRIES = 5
_TURN_S = 5.0
_RECENT_S = 24 * 3600.0


class Runner:
    """Works through the store; any number of threads of any number of processes may run one."""

    def __init__(self, vitrine: Vitrine, store: JobStore) -> None:
        self._vitrine, self._store, self._settings = vitrine, store, vitrine.settings
        self._ledger = open_ledger(vitrine.settings)
        self._writes = LiveWrites(
            vitrine, self._ledger, PictureRemoval(vitrine, store.picture_keys)
        )
        self._pictures = SharedPictureWork(vitrine)
        self._notices = Notices(log)
        self.stopping = threading.Event()

    def drain(self) -> None:
        """Work until nothing is left, or until `stopping` is set: what was taken is finished."""
        while not self.stopping.is_set() and self.step():
            pass
        self.close()

    def close(self) -> None:
        """End what works on pictures, unless another thread has work."""
        self._pictures.close_idle()

    def step(self) -> bool:
        """Take one batch of writes or, without any, one bulk item; says whether there was any."""
        items = self._store.claim(WRITES, limit=_WRITES, lease_s=self._settings.job_lease_s)
        items = items or self._store.claim(BULK, limit=1, lease_s=self._settings.job_lease_s)
        if not items:
            self.close()
            return False
        with Heartbeat(
            self._store, items, lease_s=self._settings.job_lease_s, stopping=self.stopping
        ) as beat:
            outcomes = self._outcomes(items, beat)
        self._settle(outcomes)
        self._advance(items)
        return True

    def recover(self) -> None:
        """Take up what died: leases of dead processes, jobs between stages, unfinished versions."""
        for holder in self._store.holders():
            process = ProcessName.parse(holder)
            if process is not None and process.has_died:
                log.warning("%s has died; its work is picked up again", process.words)
                self._store.release(holder)
        for job in self._store.active():
            self._advance_job(job)
        for job in self._store.jobs(limit=20):
            ended = job.kind is Kind.REINDEX and job.state in (JobState.FAILED, JobState.CANCELLED)
            if ended and job.version is not None and time.time() - job.updated_s < _RECENT_S:
                discard_unfinished(self._vitrine.versions, self._store, job)
        self._store.prune_jobs(
            keep=self._settings.keep_jobs, older_than_s=3600 * self._settings.keep_jobs_hours
        )

    def _outcomes(self, items: Sequence[WorkItem], beat: Heartbeat) -> list[Outcome]:
        if items[0].queue == WRITES:
            return self._writes.apply(items)
        return [self._bulk(items[0], beat)]

    def _bulk(self, item: WorkItem, beat: Heartbeat) -> Outcome:
        try:
            job = self._store.job(item.job_id)
            if item.attempts > DEADLY:
                message = f"workers died {DEADLY} times at the same step ({item.key}); see the logs"
                return self._fail(job, item, message)
            reading = SourceJob(self._vitrine, self._store, job.id, beat.check)
            if isinstance(item.work, RetrySource):
                return retry_source(reading, self._ledger, item, item.work.source)
            if isinstance(job.request, IngestRequest):
                return ingest_source(reading, item, job.request)
            run = ReindexRun(self._vitrine, self._store, self._ledger, job, beat, self._pictures)
            with self._pictures.in_use():
                return run_reindex_item(run, item)
        except Stopped:
            return Retry(item, 0, item.attempts - 1, "its worker was stopped")
        except Conflict as error:
            return self._wait_or_fail(item, error)
        except (Cancelled, NotFound) as error:
            return self._ended_or_fail(item, error)
        except VitrineError as error:
            if is_outage(error) and item.attempts < self._tries(error):
                self._notices.tell(f"job {item.job_id} waits: {error}")
                return self._retry(item, str(error))
            return self._fail(self._store.job(item.job_id), item, str(error))
        except Exception:
            log.exception("%s failed", item.key)
            reason = "an unexpected error; see the worker's log"
            if item.attempts < self._settings.job_attempts:
                return self._retry(item, reason)
            return self._fail(self._store.job(item.job_id), item, reason)

    def _retry(self, item: WorkItem, reason: str) -> Retry:
        return retry_with_backoff(item, self._settings, attempts=item.attempts, reason=reason)

    def _tries(self, error: VitrineError) -> int:
        """A model that cannot be loaded is given up after JOB_ATTEMPTS, a store much later."""
        if isinstance(error, IndexUnavailable | StorageUnavailable):
            return DEADLY
        return self._settings.job_attempts

    def _wait_or_fail(self, item: WorkItem, error: Conflict) -> Outcome:
        """A source waits for its turn behind a reindex; a reindex on changed ground fails."""
        job = self._store.job(item.job_id)
        if job.kind is Kind.REINDEX or not isinstance(error, CatalogueBusy):
            return self._fail(job, item, str(error))
        self._notices.tell(f"job {job.id} waits: {error}", level=logging.INFO)
        return Retry(item, _TURN_S, item.attempts - 1, str(error))

    def _ended_or_fail(self, item: WorkItem, error: VitrineError) -> Outcome:
        """The job was cancelled, or what it works with is gone; in the second case it fails."""
        job = self._store.job(item.job_id)
        if not job.state.final and isinstance(error, NotFound):
            return self._fail(job, item, str(error))
        return Done(item, 0)

    def _fail(self, job: Job, item: WorkItem, reason: str) -> Outcome:
        log.error("job %s failed: %s", job.id, reason)
        self._store.end(job.id, JobState.FAILED, error=reason)
        return Done(item, 0)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for attempt in range(_SETTLE_TRIES):
            try:
                self._store.settle(outcomes)
            except StorageUnavailable as error:
                self._notices.tell(f"the outcome of some work cannot be recorded yet: {error}")
                self.stopping.wait(0.2 * 2**attempt)
            else:
                return

    def _advance(self, items: Sequence[WorkItem]) -> None:
        for job_id in {item.job_id for item in items if item.queue == BULK}:
            job = self._store.job(job_id)
            if not job.state.final:
                self._advance_job(job)
            elif job.state is not JobState.DONE:
                discard_unfinished(self._vitrine.versions, self._store, job)

    def _advance_job(self, job: Job) -> None:
        following = next_items(job)
        if following is not None and self._store.open_items(job.id) == 0:
            stage, items = following
            self._store.advance(job.id, stage=job.stage, to=stage, items=items)
