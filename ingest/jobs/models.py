"""Jobs, the items that they are divided into, and the outcomes of items."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from ingest.jobs.requests import IngestRequest, ReindexRequest, SourceReport
from ingest.jobs.work import Work

__all__ = [
    "BULK",
    "WRITES",
    "DeadLetter",
    "DirtyKey",
    "Done",
    "GiveUp",
    "IngestRequest",
    "Job",
    "JobState",
    "Kind",
    "LockHolder",
    "NewItem",
    "Outcome",
    "QueueStats",
    "ReindexRequest",
    "Retry",
    "SourceReport",
    "WorkItem",
    "new_job_id",
]

WRITES = "writes"
"""The queue of live writes: one item per product written; those of one product run in order."""

BULK = "bulk"
"""The queue of a reindex (its plan, its ranges, its finish) and of sources."""


class Kind(StrEnum):
    """What a job is for."""

    UPSERT = "upsert"
    PATCH = "patch"
    DELETE = "delete"
    REINDEX = "reindex"
    RETRY = "retry"
    INGEST = "ingest"


def new_job_id(kind: Kind) -> str:
    """Ids that sort by time and say what they are."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


class JobState(StrEnum):
    """The state of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    VERIFYING = "verifying"
    PUBLISHED = "published"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Job:
    """One job as the store keeps it.

    `stage` names what its items are doing; when the last item of a stage is settled, whoever
    notices advances the job. A job without a stage ends with its last item. `cursor` is how far its
    plan has come. `report` is how far it has come with a source. `waiting` says what it waits for,
    since `waiting_since_s`; None while it moves. Times ending in `_s` are seconds since 1970.
    """

    id: str
    kind: Kind
    request: ReindexRequest | IngestRequest | None = None
    state: JobState = JobState.QUEUED
    stage: str = ""
    cursor: str = ""
    done: int = 0
    total: int | None = None
    failed_items: int = 0
    version: str | None = None
    error: str | None = None
    report: SourceReport | None = None
    waiting: str | None = None
    waiting_since_s: float | None = None
    created_s: float = 0.0
    started_s: float | None = None
    updated_s: float = 0.0

    @property
    def created(self) -> datetime:
        """When it was accepted (UTC)."""
        return datetime.fromtimestamp(self.created_s, UTC)

    @property
    def started(self) -> datetime | None:
        """When a worker first took it (UTC)."""
        return None if self.started_s is None else datetime.fromtimestamp(self.started_s, UTC)

    @property
    def ended(self) -> datetime | None:
        """When it ended (UTC)."""
        return self.updated if self.state.final else None

    @property
    def updated(self) -> datetime:
        """When it last moved (UTC)."""
        return datetime.fromtimestamp(self.updated_s, UTC)

    @property
    def waiting_since(self) -> datetime | None:
        """Since when it has been waiting (UTC)."""
        if self.waiting_since_s is None:
            return None
        return datetime.fromtimestamp(self.waiting_since_s, UTC)

    @property
    def source(self) -> str | None:
        """The catalogue that it reads, if it reads one."""
        return None if self.request is None else self.request.source

    def counting_rows(self) -> Job:
        """The job with the rows of a source that it is reading among its counts."""
        report = self.report
        if report is None or report.settled:
            return self
        return replace(
            self,
            done=self.done + report.done,
            failed_items=self.failed_items + report.failed,
            total=report.total if self.total is None else self.total,
        )

    @property
    def rate(self) -> float | None:
        """Products per second since its first item was taken; None before anything came out.

        Rows per second lately while it reads a source.
        """
        if self._reading is not None:
            return self._reading.rate
        if self.started_s is None:
            return None
        seconds, count = self.updated_s - self.started_s, self.done + self.failed_items
        return count / seconds if seconds > 0 and count else None

    @property
    def eta_s(self) -> float | None:
        """Seconds left at that rate; None while it is unknown."""
        if self.state.final:
            return 0.0
        if self._reading is not None:
            return self._reading.eta_s
        if self.rate is None or self.total is None:
            return None
        return max(0, self.total - self.done - self.failed_items) / self.rate

    @property
    def _reading(self) -> SourceReport | None:
        """How far it is with the source that it reads now."""
        under_way = self.report is not None and not (self.report.settled or self.state.final)
        return self.report if under_way else None


@dataclass(frozen=True)
class NewItem:
    """Work to be queued; items of one queue with equal keys never run at once nor out of order."""

    queue: str
    key: str
    work: Work


@dataclass(frozen=True)
class WorkItem:
    """Work that a worker has on lease; `token` proves whose it is, `attempts` counts this one."""

    seq: int
    job_id: str
    queue: str
    key: str
    work: Work
    attempts: int
    token: str


@dataclass(frozen=True)
class Done:
    """The item is finished: `done` products written, `failed` refused for good, `error` says why.

    `report` is how the source came out that it read.
    """

    item: WorkItem
    done: int = 1
    failed: int = 0
    error: str | None = None
    report: SourceReport | None = None


@dataclass(frozen=True)
class Retry:
    """The item is to be tried again after `after_s` seconds, because of `reason`.

    `attempts` is what it starts from.
    """

    item: WorkItem
    after_s: float
    attempts: int
    reason: str


@dataclass(frozen=True)
class GiveUp:
    """The item is given up, but kept so that an operator can retry it."""

    item: WorkItem
    stage: str
    reason: str
    message: str


Outcome = Done | Retry | GiveUp


@dataclass(frozen=True)
class DeadLetter:
    """A write that was given up, as it was accepted, and why."""

    seq: int
    key: str
    work: Work
    stage: str
    reason: str
    message: str
    at_s: float


@dataclass(frozen=True)
class DirtyKey:
    """A product written while a reindex runs; `generation` grows with each write of it."""

    key: str
    generation: int


@dataclass(frozen=True)
class LockHolder:
    """Who has a lock: when it was last renewed and when it ends unless it is; None for a job's."""

    owner: str
    renewed_s_ago: float | None = None
    ends_in_s: float | None = None


@dataclass(frozen=True)
class QueueStats:
    """How much there is to do: unfinished jobs, those of them that are waiting, and their items.

    A job waits when no worker has it yet, or when it says what it waits for. `oldest_s` is
    the age of the oldest in seconds; 0 without one.
    """

    open_jobs: int
    waiting_jobs: int
    open_items: int
    oldest_s: float
