"""The stages of a reindex, and what its items work with."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass

from ingest.failures import Ledger
from ingest.jobs.heartbeat import Heartbeat
from ingest.jobs.models import BULK, Job, Kind, NewItem, ReindexRequest
from ingest.jobs.store import JobStore
from ingest.jobs.work import FinishReindex, PlanReindex
from ingest.tasks.picture_work import SharedPictureWork
from ingest.tasks.reindex.copy import IndexCopier
from vitrine.errors import Cancelled, Conflict, NotFound
from vitrine.index import IndexVersions, VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["Plan", "ReindexRun", "discard_unfinished", "first_items", "next_items"]

log = logging.getLogger(__name__)


def first_items(job_id: str) -> list[NewItem]:
    """What a reindex begins with."""
    return [NewItem(BULK, f"plan:{job_id}", PlanReindex())]


def next_items(job: Job) -> tuple[str, list[NewItem]] | None:
    """The stage that follows the job's, when all its items are through."""
    if job.kind is Kind.REINDEX and job.stage == "fill":
        return "finish", [NewItem(BULK, f"finish:{job.id}", FinishReindex())]
    return None


def discard_unfinished(versions: IndexVersions, store: JobStore, job: Job) -> None:
    """Delete what an unfinished reindex has built, once no worker is working on it."""
    if job.version is None or store.held(BULK, job_id=job.id):
        return
    try:
        versions.discard(job.version)
    except (NotFound, Conflict):
        return
    log.info("version %s of job %s is discarded", job.version, job.id)


@dataclass(frozen=True)
class Plan:
    """How far the cutting has come: the version read from, and the last id that a range covers."""

    origin: str | None
    after: str | None = None
    cut: bool = False

    @classmethod
    def of(cls, job: Job) -> Plan | None:
        """The plan that the job's cursor holds; None before it has one."""
        return cls(**json.loads(job.cursor)) if job.cursor else None

    def text(self) -> str:
        """The plan as the text of a job's cursor."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class ReindexRun:
    """One item of a reindex being worked on; every item may be run again after a crash."""

    vitrine: Vitrine
    store: JobStore
    ledger: Ledger
    job: Job
    beat: Heartbeat
    pictures: SharedPictureWork

    @property
    def request(self) -> ReindexRequest:
        """The request of the job."""
        request = self.job.request
        return request if isinstance(request, ReindexRequest) else ReindexRequest()

    @property
    def target(self) -> VectorIndex:
        """The new version."""
        return self.vitrine.versions.open(self.job.version or "")

    @property
    def origin(self) -> VectorIndex:
        """The version that the job reads; `Conflict` when another one went live meanwhile."""
        plan, live = Plan.of(self.job), self.vitrine.versions.live()
        if plan is None or live.info.name != plan.origin:
            raise Conflict(
                f"version {live.info.name} was published while job {self.job.id} was rebuilding"
                " another one; start it again"
            )
        return live

    def copier(self) -> IndexCopier:
        """What copies from the origin into the target, loading the new model when it is needed."""
        return IndexCopier(
            self.origin, self.target, self.vitrine, pictures=self.pictures, check=self.beat.check
        )

    def extend(self, plan: Plan, items: list[NewItem]) -> None:
        """Queue further items and note how far the plan has come."""
        if not self.store.extend(self.job.id, items, cursor=plan.text()):
            raise Cancelled("the job has ended")
