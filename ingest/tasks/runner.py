"""What a worker does: take work from the store, do it, settle it, until there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from ingest.failures import open_ledger
from ingest.jobs.heartbeat import Heartbeat, Stopped
from ingest.jobs.models import BULK, WRITES, Done, Item, Job, JobState, Kind, Outcome, Retry
from ingest.jobs.store import JobStore
from ingest.tasks.live_writes import LiveWrites
from ingest.tasks.reindex.plan import Reindex, discard_unfinished, next_items
from ingest.tasks.retry_policy import DEADLY, is_outage, retry_with_backoff
from ingest.tasks.source import SourceWork
from vitrine.errors import (
    Cancelled,
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
        ledger = open_ledger(vitrine.settings)
        self._store, self._settings, self._vitrine = store, vitrine.settings, vitrine
        self._writes = LiveWrites(vitrine, ledger)
        self._reindex = Reindex(vitrine, store, ledger)
        self._sources = SourceWork(vitrine, ledger)
        self.stopping = threading.Event()

    def drain(self) -> None:
        """Work until nothing is left to take, or until `stopping` is set: what was taken is finished."""
        while not self.stopping.is_set() and self.step():
            pass

    def step(self) -> bool:
        """Take one batch of writes or, when there are none, one item of a reindex; says whether there was any."""
        items = self._store.claim(WRITES, limit=_WRITES, lease_s=self._settings.job_lease_s)
        items = items or self._store.claim(BULK, limit=1, lease_s=self._settings.job_lease_s)
        if not items:
            return False
        with Heartbeat(
            self._store, items, lease_s=self._settings.job_lease_s, stopping=self.stopping
        ) as beat:
            outcomes = (
                self._writes.apply(items)
                if items[0].queue == WRITES
                else [self._bulk(items[0], beat)]
            )
        self._settle(outcomes)
        self._advance(items)
        return True

    def recover(self) -> None:
        """Advance jobs whose worker died between two stages, and remove what ended jobs left behind."""
        for job in self._store.active():
            self._advance_job(job)
        for job in self._store.jobs(limit=20):
            ended = job.kind is Kind.REINDEX and job.state in (JobState.FAILED, JobState.CANCELLED)
            if ended and job.version is not None and time.time() - job.updated_s < _RECENT_S:
                discard_unfinished(self._vitrine.versions, self._store, job)
        self._store.prune_jobs(keep=self._settings.keep_jobs)

    def _bulk(self, item: Item, beat: Heartbeat) -> Outcome:
        try:
            job = self._store.job(item.job_id)
            if item.attempts > DEADLY:
                return self._fail(
                    job,
                    item,
                    f"workers died {DEADLY} times at the same step ({item.key}); see their logs",
                )
            if job.kind is Kind.REINDEX:
                return self._reindex.run(job, item, beat)
            return self._sources.run(item, beat)
        except Stopped:
            return Retry(item, 0, item.attempts - 1)
        except Conflict as error:
            return self._wait_or_fail(item, error)
        except (Cancelled, NotFound) as error:
            return self._gone(item, error)
        except VitrineError as error:
            if is_outage(error) and item.attempts < self._tries(error):
                log.warning("%s waits: %s", item.key, error)
                return retry_with_backoff(item, self._settings, attempts=item.attempts)
            return self._fail(self._store.job(item.job_id), item, str(error))
        except Exception:
            log.exception("%s broke", item.key)
            if item.attempts < self._settings.job_attempts:
                return retry_with_backoff(item, self._settings, attempts=item.attempts)
            return self._fail(
                self._store.job(item.job_id), item, "an unexpected error; the worker's log has it"
            )

    def _tries(self, error: VitrineError) -> int:
        """A model that cannot be loaded is reported after JOB_ATTEMPTS; a store that does not answer is waited for longer."""
        return (
            DEADLY
            if isinstance(error, IndexUnavailable | StorageUnavailable)
            else self._settings.job_attempts
        )

    def _wait_or_fail(self, item: Item, error: Conflict) -> Outcome:
        """A source waits for its turn behind a reindex; a reindex whose ground has changed fails."""
        job = self._store.job(item.job_id)
        if job.kind is Kind.REINDEX:
            return self._fail(job, item, str(error))
        log.info("%s waits: %s", item.key, error)
        return Retry(item, _TURN_S, item.attempts - 1)

    def _gone(self, item: Item, error: VitrineError) -> Outcome:
        """The job was cancelled, or what it works with is gone; in the second case it fails."""
        job = self._store.job(item.job_id)
        if not job.state.final and isinstance(error, NotFound):
            return self._fail(job, item, str(error))
        return Done(item, 0)

    def _fail(self, job: Job, item: Item, why: str) -> Outcome:
        log.error("job %s failed: %s", job.id, why)
        self._store.end(job.id, JobState.FAILED, error=why)
        return Done(item, 0)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for attempt in range(_SETTLE_TRIES):
            try:
                self._store.settle(outcomes)
            except StorageUnavailable as error:
                log.warning(
                    "the outcome of %d items could not be noted yet: %s", len(outcomes), error
                )
                self.stopping.wait(0.2 * 2**attempt)
            else:
                return

    def _advance(self, items: Sequence[Item]) -> None:
        for job_id in {item.job_id for item in items if item.queue == BULK}:
            job = self._store.job(job_id)
            if job.state.final:
                self._after(job)
            else:
                self._advance_job(job)

    def _after(self, job: Job) -> None:
        if job.state is not JobState.DONE:
            discard_unfinished(self._vitrine.versions, self._store, job)

    def _advance_job(self, job: Job) -> None:
        following = next_items(job)
        if following is not None and self._store.open_items(job.id) == 0:
            stage, items = following
            self._store.advance(job.id, stage=job.stage, to=stage, items=items)
