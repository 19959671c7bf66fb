"""The finish of a reindex: catch up with live writes, verify, publish."""

from __future__ import annotations

import time

from ingest.failures import Ledger
from ingest.jobs.models import WRITES, Job, JobState
from ingest.tasks.reindex.copy import REINDEX, pictures_at_once
from ingest.tasks.reindex.stages import Plan, ReindexRun
from ingest.tasks.reindex.verify import NotVerified, check_count, verify
from ingest.tasks.shrink import ShrinkLimit, shrinkage
from vitrine.errors import Cancelled
from vitrine.index import VectorIndex, VersionFilling
from vitrine.learning import learn_version

__all__ = ["finish_reindex"]

_FEW = 100
"""Dirty keys that may be left for the moment in which writes are held."""

_ROUNDS = 20
"""Rounds of catching up at most, so that a flood of writes cannot put off the end."""

_BATCH = 500
_POLL_S = 0.02


def finish_reindex(run: ReindexRun) -> None:
    """Publish the new version unless an earlier try has, and end the job."""
    versions, store, job = run.vitrine.versions, run.store, run.job
    target = run.target
    if versions.live().info.name != target.info.name:
        _publish(run, target)
    store.lift_write_barrier(job.id)
    store.enter(job.id, JobState.PUBLISHED)
    _clear_ledger(run.ledger, job)
    plan = Plan.of(job)
    versions.prune(keep=run.vitrine.settings.keep_versions, spare=plan.origin if plan else None)
    store.end(job.id, JobState.DONE)


def _publish(run: ReindexRun, target: VectorIndex) -> None:
    versions, store, job = run.vitrine.versions, run.store, run.job
    live, request = run.origin, run.request
    for _ in range(_ROUNDS):
        if _catch_up(run) < _FEW:
            break
    versions.build_index(target.info.name, progress=lambda _: run.beat.check())
    store.enter(job.id, JobState.VERIFYING)
    learn_version(versions, target, run.vitrine.embedders.get(target.info.model))
    if request.verify:
        verify(run.vitrine, target, live, seed=job.id, check=run.beat.check)
    try:
        _hold_writes(run)
        while _catch_up(run):
            pass
        if request.source is not None:
            _check_shrinkage(run, target, live)
        elif request.verify:
            check_count(target, live)
        versions.complete(target.info.name, _filling(run, live, target))
        run.beat.confirm()
        versions.publish(target.info.name)
    except BaseException:
        store.lift_write_barrier(job.id)
        raise


def _filling(run: ReindexRun, live: VectorIndex, target: VectorIndex) -> VersionFilling | None:
    """How the vectors of the new version were made; where they were copied, how those of the live
    one were."""
    if run.request.source is None and live.info.fingerprint == target.info.fingerprint:
        return live.info.filling
    compute = run.vitrine.embedders.get(target.info.model).compute
    batch = run.job.report.batch if run.job.report else pictures_at_once(run.vitrine.settings)
    seconds = time.time() - (run.job.started_s or run.job.created_s)
    return VersionFilling(compute.device, compute.precision, batch, seconds)


def _check_shrinkage(run: ReindexRun, target: VectorIndex, live: VectorIndex) -> None:
    """A version filled from a source may not lack too many of the live products."""
    share = 1.0 if run.request.allow_shrink else run.vitrine.settings.max_shrink
    refusal = ShrinkLimit(share).refusal(shrinkage(live, target), run.request.source or "")
    if refusal is not None:
        raise NotVerified(refusal)


def _hold_writes(run: ReindexRun) -> None:
    """Hand out no more writes and wait for those under way; accepted ones queue up meanwhile."""
    if not run.store.raise_write_barrier(run.job.id):
        raise Cancelled("the job has ended")
    while run.store.held(WRITES):
        run.beat.check()
        time.sleep(_POLL_S)


def _catch_up(run: ReindexRun) -> int:
    """Copy the products written since; returns how many there were, at most `_BATCH`."""
    run.beat.check()
    dirty = run.store.dirty_keys(run.job.id, limit=_BATCH)
    if dirty:
        result = run.copier().refresh([entry.key for entry in dirty])
        for failure in result.failures:
            run.ledger.add(failure)
        run.store.clear_dirty(run.job.id, dirty)
    return len(dirty)


def _clear_ledger(ledger: Ledger, job: Job) -> None:
    if not job.failed_items:
        entries, _ = ledger.entries(limit=10_000, source=REINDEX)
        ledger.clear(entry.id for entry in entries)
