"""Reindex: a new version is built beside the live one, catches up with live writes, is verified and published.

Its job runs in two stages. `fill`: one worker makes the version and cuts the live one into ranges of ids while any
number of workers carry them over. `finish`: products written meanwhile are result again until few are left, the
version is verified, writes are held for a moment while the last are result, and the version goes live in one step.
Nothing but the job writes into the new version, and it always copies what the live version says now; so an old
state can neither overwrite a newer write nor bring back a deleted product.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass

from ingest.failures import Ledger
from ingest.jobs.heartbeat import Heartbeat
from ingest.jobs.models import BULK, WRITES, Done, Item, Job, JobState, Kind, NewItem
from ingest.jobs.store import JobStore
from ingest.tasks.reindex.copy import REINDEX, CopyResult, IndexCopier
from ingest.tasks.reindex.verify import check_count, verify
from ingest.tasks.source import fill_from_source
from vitrine.embedding import Embedder
from vitrine.errors import Cancelled, Conflict, NoLiveVersion, NotFound
from vitrine.index import IndexVersions, VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["Reindex", "discard_unfinished", "first_items", "next_items"]

log = logging.getLogger(__name__)

_FEW = 100
"""Marked products that may be left for the moment in which writes are held."""

_ROUNDS = 20
"""Rounds of catching up at most, so that a flood of writes cannot put off the end."""

_BATCH = 500
_POLL_S = 0.02


def first_items(job_id: str) -> list[NewItem]:
    """What a reindex begins with."""
    return [NewItem(BULK, f"plan:{job_id}", {"do": "plan"})]


def next_items(job: Job) -> tuple[str, list[NewItem]] | None:
    """The stage that follows the job's, when all its items are through."""
    if job.kind is Kind.REINDEX and job.stage == "fill":
        return "finish", [NewItem(BULK, f"finish:{job.id}", {"do": "finish"})]
    return None


def discard_unfinished(versions: IndexVersions, store: JobStore, job: Job) -> None:
    """Delete what a reindex that did not come to its end has built, as soon as no worker is at it."""
    if job.version is None or store.held(BULK, job_id=job.id):
        return
    try:
        versions.discard(job.version)
    except (NotFound, Conflict):
        return
    log.info("version %s of job %s is discarded", job.version, job.id)


@dataclass(frozen=True)
class _Plan:
    """How far the cutting has come: the version read from, and the last id that a chunk covers."""

    origin: str | None
    after: str | None = None
    cut: bool = False

    @classmethod
    def of(cls, job: Job) -> _Plan | None:
        return cls(**json.loads(job.cursor)) if job.cursor else None

    def text(self) -> str:
        return json.dumps(asdict(self))


class Reindex:
    """The work of the items of a reindex; every item may be run again after a crash."""

    def __init__(self, vitrine: Vitrine, store: JobStore, ledger: Ledger) -> None:
        self._vitrine, self._store, self._ledger = vitrine, store, ledger

    def run(self, job: Job, item: Item, beat: Heartbeat) -> Done:
        """Do one item. Raises `Cancelled` when the job has ended, `NotVerified`, or what stands in the way."""
        match item.body["do"]:
            case "plan":
                return self._plan(job, item, beat)
            case "chunk":
                return self._chunk(job, item, beat)
            case "source":
                return self._source(job, item, beat)
            case _:
                return self._finish(job, item, beat)

    # fill
    def _plan(self, job: Job, item: Item, beat: Heartbeat) -> Done:
        plan = _Plan.of(job)
        if plan is None:
            plan = self._begin(job, beat)
        if plan.cut:
            return Done(item, 0)
        source = job.request.get("source")
        if source is not None:
            done = _Plan(plan.origin, cut=True)
            self._extend(
                job, done, [NewItem(BULK, f"source:{job.id}", {"do": "source", "source": source})]
            )
            return Done(item, 0)
        self._cut(job, plan, beat)
        return Done(item, 0)

    def _begin(self, job: Job, beat: Heartbeat) -> _Plan:
        """Make the version, unless an earlier try has."""
        live = self._live()
        if live is None:
            raise NoLiveVersion(
                "there is no live version to rebuild; run `vitrine ingest SOURCE --map FILE` first"
            )
        model = job.request.get("model") or self._vitrine.settings.model
        if job.version is None:
            self._discard_nameless(job)
            beat.confirm()
            model_info = self._vitrine.embedders.get(model).info
            info = live.info
            made = self._vitrine.versions.create(
                model=model,
                fingerprint=model_info.fingerprint,
                dimension=model_info.dimension,
                schema=info.schema,
                mapping=info.mapping,
            )
            total = None if job.request.get("source") else live.count()
            if not self._store.describe(job.id, total=total, version=made.info.name):
                self._vitrine.versions.discard(made.info.name)
                raise Cancelled("the job has ended")
        plan = _Plan(live.info.name)
        self._extend(job, plan, [])
        return plan

    def _discard_nameless(self, job: Job) -> None:
        """A worker that died between making the version and noting it leaves one that nobody fills; the lock says it is ours."""
        for info in self._vitrine.versions.list():
            if info.state == "building" and info.created >= job.created:
                self._vitrine.versions.discard(info.name)

    def _cut(self, job: Job, plan: _Plan, beat: Heartbeat) -> None:
        after = plan.after
        for records in self._vitrine.versions.open(plan.origin or "").scan(
            after=after, batch=self._vitrine.settings.chunk_size
        ):
            beat.check()
            last = records[-1].product.id
            self._extend(job, _Plan(plan.origin, last), [_chunk(job, after, last)])
            after = last
        self._extend(job, _Plan(plan.origin, after, cut=True), [_chunk(job, after, None)])

    def _extend(self, job: Job, plan: _Plan, items: list[NewItem]) -> None:
        if not self._store.extend(job.id, items, cursor=plan.text()):
            raise Cancelled("the job has ended")

    def _chunk(self, job: Job, item: Item, beat: Heartbeat) -> Done:
        copier, load = self._copier(job)
        result = copier.copy_range(item.body["after"], item.body["upto"], load, beat.check)
        return self._through(item, result)

    def _source(self, job: Job, item: Item, beat: Heartbeat) -> Done:
        target = self._target(job)
        summary = fill_from_source(self._vitrine, item.body["source"], target, beat.check)
        return Done(item, summary.done + summary.unchanged, summary.failed)

    def _through(self, item: Item, result: CopyResult) -> Done:
        for failure in result.failures:
            self._ledger.add(failure)
        error = (
            f"{result.failures[0].id}: {result.failures[0].message}" if result.failures else None
        )
        return Done(item, result.done, len(result.failures), error)

    # finish
    def _finish(self, job: Job, item: Item, beat: Heartbeat) -> Done:
        target = self._target(job)
        if self._vitrine.versions.live().info.name != target.info.name:
            self._publish(job, target, beat)
        self._store.lift_write_barrier(job.id)
        self._store.enter(job.id, JobState.PUBLISHED)
        self._ledger_settled(job)
        plan = _Plan.of(job)
        self._vitrine.versions.prune(
            keep=self._vitrine.settings.keep_versions, spare=plan.origin if plan else None
        )
        self._store.end(job.id, JobState.DONE)
        return Done(item, 0)

    def _publish(self, job: Job, target: VectorIndex, beat: Heartbeat) -> None:
        live = self._origin(job)
        for _ in range(_ROUNDS):
            if self._catch_up(job, beat) < _FEW:
                break
        self._store.enter(job.id, JobState.VERIFYING)
        if job.request.get("verify", True):
            verify(self._vitrine, target, live, seed=job.id, check=beat.check)
        try:
            self._hold_writes(job, beat)
            while self._catch_up(job, beat):
                pass
            if job.request.get("verify", True) and job.request.get("source") is None:
                check_count(target, live)
            self._vitrine.versions.complete(target.info.name)
            beat.confirm()
            self._vitrine.versions.publish(target.info.name)
        except BaseException:
            self._store.lift_write_barrier(job.id)
            raise

    def _hold_writes(self, job: Job, beat: Heartbeat) -> None:
        """Hand out no more writes and wait for those under way; accepted ones queue up meanwhile."""
        if not self._store.raise_write_barrier(job.id):
            raise Cancelled("the job has ended")
        while self._store.held(WRITES):
            beat.check()
            time.sleep(_POLL_S)

    def _catch_up(self, job: Job, beat: Heartbeat) -> int:
        """Carry the products written since; returns how many there were, at most `_BATCH`."""
        beat.check()
        dirty = self._store.dirty_keys(job.id, limit=_BATCH)
        if dirty:
            copier, load = self._copier(job)
            result = copier.refresh([dirty_key.key for dirty_key in dirty], load, beat.check)
            for failure in result.failures:
                self._ledger.add(failure)
            self._store.clear_dirty(job.id, dirty)
        return len(dirty)

    def _ledger_settled(self, job: Job) -> None:
        if not job.failed_items:
            entries, _ = self._ledger.entries(limit=10_000, source=REINDEX)
            self._ledger.clear(entry.id for entry in entries)

    # what an item works with
    def _live(self) -> VectorIndex | None:
        try:
            return self._vitrine.versions.live()
        except NoLiveVersion:
            return None

    def _target(self, job: Job) -> VectorIndex:
        return self._vitrine.versions.open(job.version or "")

    def _origin(self, job: Job) -> VectorIndex:
        """The version that the job reads; refused when another one went live by hand meanwhile."""
        plan, live = _Plan.of(job), self._vitrine.versions.live()
        if plan is None or live.info.name != plan.origin:
            raise Conflict(
                f"version {live.info.name} was published while job {job.id} was rebuilding another one; start it again"
            )
        return live

    def _copier(self, job: Job) -> tuple[IndexCopier, _Load]:
        target = self._target(job)
        copier = IndexCopier(
            self._origin(job), target, self._vitrine.images, self._vitrine.settings
        )
        return copier, _Load(self._vitrine, target)


class _Load:
    """Loads the new version's model when the first picture needs it."""

    def __init__(self, vitrine: Vitrine, target: VectorIndex) -> None:
        self._vitrine, self._target = vitrine, target

    def __call__(self) -> Embedder:
        return self._vitrine.embedders.for_index(self._target)


def _chunk(job: Job, after: str | None, upto: str | None) -> NewItem:
    return NewItem(BULK, f"chunk:{job.id}:{upto}", {"do": "chunk", "after": after, "upto": upto})
