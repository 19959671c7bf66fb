"""The port of the job store: where workers and service see jobs, their items, and who holds what.

Every call is atomic and durable when it returns. Leases are measured by a clock that nobody sets:
the machine's monotonic one (SQLite) or the server's own (Redis). Safe to call from several threads.
Errors beyond those named: `StorageUnavailable` when the store cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingest.jobs.models import (
    DeadLetter,
    DirtyKey,
    Job,
    JobState,
    LockHolder,
    NewItem,
    Outcome,
    QueueStats,
    SourceReport,
    WorkItem,
)
from ingest.jobs.schedules import Schedule, ScheduledRun

__all__ = [
    "CATALOGUE",
    "SUSPICIOUS",
    "ChangeTracker",
    "JobRecords",
    "JobStore",
    "Locks",
    "Schedules",
    "WorkQueue",
]

CATALOGUE = "catalogue"
"""The lock that lets only one reindex or bulk ingest run."""

SUSPICIOUS = 3
"""An item taken this often without coming out is handed out alone: it may be what kills workers."""


class JobRecords(Protocol):
    """The jobs themselves."""

    def add(self, job: Job, items: Sequence[NewItem]) -> None:
        """Accept a job together with its first items.

        A reindex takes the catalogue lock until it ends, and from then on every key written is
        noted as dirty (see `ChangeTracker`); `Conflict` naming the holder when the lock is taken.
        """
        ...

    def job(self, job_id: str) -> Job:
        """One job; `NotFound` for an unknown id."""
        ...

    def jobs(self, *, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        ...

    def active(self) -> list[Job]:
        """The jobs that have not ended, oldest first."""
        ...

    def enter(self, job_id: str, state: JobState) -> bool:
        """Move a job to a state that is not final; False when it has ended."""
        ...

    def describe(self, job_id: str, *, total: int | None, version: str | None) -> bool:
        """Say how much there is to do and which version is filled; False when it has ended."""
        ...

    def report(self, job_id: str, report: SourceReport) -> None:
        """Note how far a job has come with its source; one that has ended is passed over."""
        ...

    def extend(self, job_id: str, items: Sequence[NewItem], *, cursor: str) -> bool:
        """Add items to a job and note how far its plan has come; False when it has ended."""
        ...

    def advance(self, job_id: str, *, stage: str, to: str, items: Sequence[NewItem]) -> bool:
        """Enter the stage `to` with its items if the job is in `stage` and has no open item.

        Says whether it did.
        """
        ...

    def end(self, job_id: str, state: JobState, *, error: str | None = None) -> bool:
        """End a job: its items that nobody holds go, its lock, dirty keys and write barrier too.

        False when it had ended before.
        """
        ...

    def prune_jobs(self, *, keep: int, older_than_s: float) -> None:
        """Drop finished jobs that have not changed for that long, except the latest `keep`."""
        ...

    def stats(self) -> QueueStats:
        """How much there is to do."""
        ...


class WorkQueue(Protocol):
    """The items of all jobs, and the writes that were given up."""

    def claim(self, queue: str, *, limit: int, lease_s: float) -> list[WorkItem]:
        """Take up to `limit` items, oldest first, for `lease_s` seconds.

        Of each key only the oldest comes, and none that is held. An item whose lease ran out is
        taken again, alone once it was tried `SUSPICIOUS` times. Nothing comes from WRITES while the
        write barrier is up.
        """
        ...

    def renew(self, items: Sequence[WorkItem], *, lease_s: float) -> bool:
        """Hold the items longer; False when one is no longer held or its job has ended."""
        ...

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record the outcomes of items; one that is no longer held is skipped.

        The last item of a job without a stage ends it. What a `Retry` waits for is said by its job
        until something comes out.
        """
        ...

    def wait_for_work(self, timeout_s: float) -> None:
        """Return when work may have come since this thread last looked, or when the time is over.

        Work that becomes due because a lease or a pause ends wakes nobody: look from time to time.
        """
        ...

    def waiting(self) -> int:
        """How many items a worker could take now, counted up to 100."""
        ...

    def picture_keys(self) -> set[str]:
        """Keys of the image store that accepted and given-up writes name."""
        ...

    def holders(self) -> set[str]:
        """The processes (`ProcessName` as text) that hold items, dead ones among them."""
        ...

    def release(self, holder: str) -> None:
        """End the leases of a process that has died."""
        ...

    def held(self, queue: str, *, job_id: str | None = None) -> int:
        """How many items of a queue are held now, of one job or of all."""
        ...

    def open_items(self, job_id: str) -> int:
        """How many items of a job are not settled."""
        ...

    def dead(self, *, limit: int) -> list[DeadLetter]:
        """The writes given up, oldest first; a later success of the product removes its own."""
        ...

    def requeue_dead(self, job: Job, items: Sequence[NewItem] = ()) -> int:
        """Accept a job with these items that also tries all dead letters again, in their order.

        Returns how many there are; they count beside the job's own total.
        """
        ...


class ChangeTracker(Protocol):
    """What a reindex must know of live writes: from its acceptance each key written is dirty."""

    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        """Products written since the reindex was accepted that nobody is writing now."""
        ...

    def clear_dirty(self, job_id: str, dirty: Sequence[DirtyKey]) -> None:
        """Forget dirty keys, but for products written again since."""
        ...

    def raise_write_barrier(self, job_id: str) -> bool:
        """Hand out no write until the job lifts the barrier or ends; False when it has ended."""
        ...

    def lift_write_barrier(self, job_id: str) -> None:
        """Hand out writes again; their keys are still noted until the job ends."""
        ...


class Locks(Protocol):
    """Named locks with a lease, for holders that are not jobs."""

    def lock(self, name: str, owner: str, *, lease_s: float) -> LockHolder | None:
        """Take or renew a lock for some seconds; its holder when another one has it."""
        ...

    def unlock(self, name: str, owner: str) -> None:
        """Give a lock back, if it is held."""
        ...

    def holder(self, name: str) -> LockHolder | None:
        """Who holds a lock now."""
        ...


class Schedules(Protocol):
    """Sources that are ingested at fixed times, and the results of their runs."""

    def put_schedule(self, schedule: Schedule) -> None:
        """Keep a schedule, without results, in place of one of its name."""
        ...

    def schedules(self) -> list[Schedule]:
        """All schedules by name."""
        ...

    def remove_schedule(self, name: str) -> bool:
        """Remove a schedule; a run in progress continues. Returns whether there was one."""
        ...

    def start_scheduled(
        self, schedule: Schedule, job: Job, items: Sequence[NewItem], *, next_s: int
    ) -> bool:
        """Accept the job of a run and put off the schedule to `next_s`, in one step.

        False, and nothing is done, when the schedule is no longer as it was read: of all that want
        to start the same run one does.
        """
        ...

    def note_run(self, name: str, run: ScheduledRun) -> None:
        """Note the result of the latest run, once; of the earlier ones KEPT_RUNS - 1 stay."""
        ...


class JobStore(JobRecords, WorkQueue, ChangeTracker, Locks, Schedules, Protocol):
    """All of it in one place, so that a call may touch several parts at once."""

    def close(self) -> None:
        """Release connections; may be called twice."""
        ...
