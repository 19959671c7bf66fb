"""The job store of a cluster: Redis."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ingest.jobs.locks import lock_conflict
from ingest.jobs.models import (
    BULK,
    WRITES,
    DeadLetter,
    DirtyKey,
    Job,
    JobState,
    Kind,
    LockHolder,
    NewItem,
    Outcome,
    QueueStats,
    SourceReport,
    WorkItem,
)
from ingest.jobs.processes import this_process
from ingest.jobs.redis_connection import ANSWER_S
from ingest.jobs.redis_records import (
    flat_fields,
    item_rows,
    outcome_fields,
    read_job,
    read_letter,
    stored_job,
)
from ingest.jobs.redis_schedules import RedisSchedules
from ingest.jobs.store import SUSPICIOUS
from ingest.jobs.stored_jobs import stored_details
from ingest.jobs.work import picture_keys, work_from_json
from vitrine.errors import NotFound

__all__ = ["RedisStore"]

_PRUNED = 1000
"""Jobs checked in one pruning, the oldest first."""


class RedisStore(RedisSchedules):
    """A `JobStore` that any number of machines share."""

    # jobs
    def add(self, job: Job, items: Sequence[NewItem]) -> None:
        holder = self._change(
            "add",
            id=job.id,
            exclusive=job.kind is Kind.REINDEX,
            **stored_job(job, items),
        )
        if holder:
            raise lock_conflict(LockHolder(*holder), is_job=bool(self._hash(f"job:{holder[0]}")))

    def job(self, job_id: str) -> Job:
        fields = self._hash(f"job:{job_id}")
        if not fields:
            raise NotFound(f"there is no job {job_id!r}")
        return read_job(job_id, fields)

    def jobs(self, *, limit: int) -> list[Job]:
        return self._jobs(self._read("zrevrange", "jobs", 0, limit - 1))

    def active(self) -> list[Job]:
        return self._jobs(self._read("zrange", "open", 0, -1))

    def enter(self, job_id: str, state: JobState) -> bool:
        return bool(self._change("set", id=job_id, fields=["state", state.value]))

    def describe(self, job_id: str, *, total: int | None, version: str | None) -> bool:
        fields = flat_fields({"total": total, "version": version})
        return bool(self._change("set", id=job_id, fields=fields))

    def report(self, job_id: str, report: SourceReport) -> None:
        self._change("set", id=job_id, fields=flat_fields(stored_details(None, report)))

    def extend(self, job_id: str, items: Sequence[NewItem], *, cursor: str) -> bool:
        return bool(self._change("extend", id=job_id, cursor=cursor, items=item_rows(items)))

    def advance(self, job_id: str, *, stage: str, to: str, items: Sequence[NewItem]) -> bool:
        return bool(self._change("advance", id=job_id, stage=stage, to=to, items=item_rows(items)))

    def end(self, job_id: str, state: JobState, *, error: str | None = None) -> bool:
        return bool(self._change("finish", id=job_id, state=state.value, error=error or ""))

    def prune_jobs(self, *, keep: int, older_than_s: float) -> None:
        surplus = int(self._read("zcard", "jobs")) - int(self._read("zcard", "open")) - keep
        if surplus <= 0:
            return
        before = self._now() - older_than_s
        oldest = self._jobs(self._read("zrange", "jobs", 0, _PRUNED - 1))
        for job in [job for job in oldest if job.state.final][:surplus]:
            if job.updated_s <= before:
                self._read("zrem", "jobs", job.id)
                self._read("delete", f"job:{job.id}")

    def stats(self) -> QueueStats:
        jobs = self.active()
        waiting = sum(job.state is JobState.QUEUED or job.waiting is not None for job in jobs)
        items = sum(self._many("scard", [f"items:{job.id}" for job in jobs]))
        age = max(0.0, self._now() - min(job.created_s for job in jobs)) if jobs else 0.0
        return QueueStats(len(jobs), waiting, items, age)

    # items
    def claim(self, queue: str, *, limit: int, lease_s: float) -> list[WorkItem]:
        claimed = self._change(
            "claim",
            queue=queue,
            writes=queue == WRITES,
            limit=limit,
            lease_s=lease_s,
            token=uuid.uuid4().hex,
            holder=str(this_process()),
            suspicious=SUSPICIOUS,
        )
        return [
            WorkItem(int(seq), job_id, queue, key, work_from_json(work), int(attempts), token)
            for seq, job_id, key, work, attempts, token in claimed
        ]

    def renew(self, items: Sequence[WorkItem], *, lease_s: float) -> bool:
        rows = [[item.seq, item.token, item.job_id] for item in items]
        return bool(self._change("renew", items=rows, lease_s=lease_s))

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        rows = [outcome_fields(outcome) for outcome in outcomes]
        self._change("settle", outcomes=rows, writes=WRITES)

    def wait_for_work(self, timeout_s: float) -> None:
        self._read("blpop", "wake", min(timeout_s, ANSWER_S / 2))

    def waiting(self) -> int:
        barrier = self._read("hget", "changes", "barrier") == "1"
        counts = [
            int(self._read("zcard", f"ready:{queue}"))
            + int(self._read("zcount", f"busy:{queue}", "-inf", self._now()))
            for queue in ((BULK,) if barrier else (WRITES, BULK))
        ]
        return min(100, sum(counts))

    def held(self, queue: str, *, job_id: str | None = None) -> int:
        return len([job for job, _ in self._held(queue).values() if job_id in (None, job)])

    def picture_keys(self) -> set[str]:
        texts: list[str | None] = []
        for kind in ("item", "dead"):
            names = self._names(f"{kind}:[0-9]*")
            for start in range(0, len(names), _PRUNED):
                texts += self._many("hget", names[start : start + _PRUNED], "work")
        return picture_keys(text for text in texts if text is not None)

    def holders(self) -> set[str]:
        held = [*self._held(WRITES).values(), *self._held(BULK).values()]
        return {holder for _, holder in held}

    def release(self, holder: str) -> None:
        for queue in (WRITES, BULK):
            for seq, (_, held_by) in self._held(queue).items():
                if held_by == holder:
                    self._read("zadd", f"busy:{queue}", {seq: 0}, xx=True)
        self._change("wake", count=1)

    def open_items(self, job_id: str) -> int:
        return int(self._read("scard", f"items:{job_id}"))

    def dead(self, *, limit: int) -> list[DeadLetter]:
        seqs = self._read("zrange", "dead", 0, limit - 1)
        letters = self._many("hgetall", [f"dead:{seq}" for seq in seqs])
        return [
            read_letter(int(seq), fields)
            for seq, fields in zip(seqs, letters, strict=True)
            if fields
        ]

    def requeue_dead(self, job: Job, items: Sequence[NewItem] = ()) -> int:
        requeued = self._change("requeue_dead", id=job.id, writes=WRITES, **stored_job(job, items))
        return int(requeued)

    # dirty keys and the write barrier
    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        if self._read("hget", "changes", "job") != job_id:
            return []
        # Read before the holders: a key that is claimed in between has another generation by then.
        dirty = self._hash("dirty")
        held = self._held(WRITES)
        being_written = {*self._many("hget", [f"item:{seq}" for seq in held], "key")}
        keys = sorted(dirty.keys() - being_written)
        return [DirtyKey(key, int(dirty[key])) for key in keys[:limit]]

    def clear_dirty(self, job_id: str, dirty: Sequence[DirtyKey]) -> None:
        self._change("clear_dirty", dirty=[[entry.key, entry.generation] for entry in dirty])

    def raise_write_barrier(self, job_id: str) -> bool:
        return bool(self._change("set_barrier", id=job_id, barrier="1"))

    def lift_write_barrier(self, job_id: str) -> None:
        self._change("set_barrier", id=job_id, barrier="0")

    # locks
    def lock(self, name: str, owner: str, *, lease_s: float) -> LockHolder | None:
        holder = self._change("lock", name=name, owner=owner, lease_s=lease_s)
        return LockHolder(*holder) if holder else None

    def unlock(self, name: str, owner: str) -> None:
        self._change("unlock", name=name, owner=owner)

    def holder(self, name: str) -> LockHolder | None:
        fields = self._hash(f"lock:{name}")
        if not fields:
            return None
        if not fields["until"]:
            return LockHolder(fields["owner"])
        now, until = self._now(), float(fields["until"])
        if until <= now:
            return None
        return LockHolder(fields["owner"], now - float(fields["since"]), until - now)

    def _jobs(self, ids: Sequence[str]) -> list[Job]:
        stored = self._many("hgetall", [f"job:{job_id}" for job_id in ids])
        return [
            read_job(job_id, fields) for job_id, fields in zip(ids, stored, strict=True) if fields
        ]

    def _held(self, queue: str) -> dict[str, tuple[str, str]]:
        """Job and holder of the items that are held, by seq."""
        busy = self._read("zrangebyscore", f"busy:{queue}", f"({self._now():.6f}", "+inf")
        items = self._many("hmget", [f"item:{seq}" for seq in busy], "job", "holder")
        return {
            seq: (job, holder)
            for seq, (job, holder) in zip(busy, items, strict=True)
            if holder is not None
        }
