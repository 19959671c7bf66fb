"""The job store of a cluster: Redis, which is then the queue as well."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry as Reconnect

from ingest.jobs.locks import lock_conflict
from ingest.jobs.models import (
    BULK,
    WRITES,
    DeadLetter,
    DirtyKey,
    Done,
    GiveUp,
    Item,
    Job,
    JobState,
    Kind,
    NewItem,
    Outcome,
    Retry,
)
from ingest.jobs.redis_scripts import LIBRARY, SCRIPTS
from ingest.jobs.store import SUSPICIOUS
from vitrine.errors import NotFound, StorageUnavailable

__all__ = ["RedisStore"]

_PREFIX = "{vitrine}:"
_ANSWER_S = 10.0
_INTEGERS = ("done", "failed_items", "total")
_TIMES = ("created_s", "started_s", "updated_s")


class RedisStore:
    """A `JobStore` that any number of machines share."""

    def __init__(self, url: str) -> None:
        # One more try after a broken connection: every script below does no harm when it runs twice.
        self._client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            health_check_interval=30,
            retry=Reconnect(ConstantBackoff(0.2), 1),
        )
        self._scripts = {
            name: self._client.register_script(LIBRARY + body) for name, body in SCRIPTS.items()
        }

    # jobs
    def add(self, job: Job, items: Sequence[NewItem]) -> None:
        exclusive = "1" if job.kind is Kind.REINDEX else ""
        holder = self._call("add", job.id, exclusive, json.dumps(_flat(_fields(job))), _rows(items))
        if holder:
            raise lock_conflict(holder, is_job=bool(self._hash(f"job:{holder}")))

    def job(self, job_id: str) -> Job:
        found = self._hash(f"job:{job_id}")
        if not found:
            raise NotFound(f"there is no job {job_id!r}")
        return _job(job_id, found)

    def jobs(self, *, limit: int) -> list[Job]:
        return self._listed(self._plain("zrevrange", "jobs", 0, limit - 1))

    def active(self) -> list[Job]:
        return self._listed(self._plain("zrange", "open", 0, -1))

    def enter(self, job_id: str, state: JobState) -> bool:
        return bool(self._call("set", job_id, json.dumps(["state", state.value])))

    def describe(self, job_id: str, *, total: int | None, version: str | None) -> bool:
        return bool(
            self._call("set", job_id, json.dumps(_flat({"total": total, "version": version})))
        )

    def extend(self, job_id: str, items: Sequence[NewItem], *, cursor: str) -> bool:
        return bool(self._call("extend", job_id, cursor, _rows(items)))

    def advance(self, job_id: str, *, stage: str, to: str, items: Sequence[NewItem]) -> bool:
        return bool(self._call("advance", job_id, stage, to, _rows(items)))

    def end(self, job_id: str, state: JobState, *, error: str | None = None) -> bool:
        return bool(self._call("finish", job_id, state.value, error or ""))

    def prune_jobs(self, *, keep: int) -> None:
        self._call("forget", keep)

    # items
    def claim(self, lane: str, *, limit: int, lease_s: float) -> list[Item]:
        found = self._call("claim", lane, limit, lease_s, uuid.uuid4().hex, WRITES, SUSPICIOUS)
        return [Item(int(f[0]), f[1], lane, f[2], json.loads(f[3]), int(f[4]), f[5]) for f in found]

    def renew(self, items: Sequence[Item], *, lease_s: float) -> bool:
        return bool(
            self._call("renew", lease_s, json.dumps([[i.seq, i.token, i.job_id] for i in items]))
        )

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        self._call("settle", json.dumps([_outcome(o) for o in outcomes]), WRITES)

    def waiting(self) -> int:
        return int(self._call("waiting", WRITES, BULK))

    def held(self, lane: str, *, job_id: str | None = None) -> int:
        return int(self._call("held", lane, job_id or ""))

    def open_items(self, job_id: str) -> int:
        return int(self._plain("scard", f"items:{job_id}"))

    def dead(self, *, limit: int) -> list[DeadLetter]:
        seqs = self._plain("zrange", "dead", 0, limit - 1)
        letters = [(int(seq), self._hash(f"dead:{seq}")) for seq in seqs]
        return [_letter(seq, found) for seq, found in letters if found]

    def requeue_dead(self, job: Job, items: Sequence[NewItem] = ()) -> int:
        return int(
            self._call("revive", job.id, json.dumps(_flat(_fields(job))), WRITES, _rows(items))
        )

    # dirty keys and the write barrier
    def dirty_keys(self, job_id: str, *, limit: int) -> list[DirtyKey]:
        return [
            DirtyKey(key, int(generation))
            for key, generation in self._call("marks", job_id, limit, WRITES)
        ]

    def clear_dirty(self, job_id: str, dirty: Sequence[DirtyKey]) -> None:
        self._call("unmark", json.dumps([[m.key, m.generation] for m in dirty]))

    def raise_write_barrier(self, job_id: str) -> bool:
        return bool(self._call("close", job_id))

    def lift_write_barrier(self, job_id: str) -> None:
        self._call("open", job_id)

    # locks
    def lock(self, name: str, owner: str, *, lease_s: float) -> str | None:
        return str(self._call("lock", name, owner, lease_s)) or None

    def unlock(self, name: str, owner: str) -> None:
        self._call("unlock", name, owner)

    def holder(self, name: str) -> str | None:
        return str(self._call("holder", name)) or None

    def close(self) -> None:
        self._client.close()

    def _call(self, name: str, *args: str | float) -> Any:
        try:
            return self._scripts[name](keys=[_PREFIX], args=list(args))
        except redis.RedisError as error:
            raise _unavailable(error) from error

    def _plain(self, command: str, key: str, *args: Any) -> Any:
        try:
            return getattr(self._client, command)(_PREFIX + key, *args)
        except redis.RedisError as error:
            raise _unavailable(error) from error

    def _hash(self, key: str) -> dict[str, str]:
        found: dict[str, str] = self._plain("hgetall", key)
        return found

    def _listed(self, ids: Sequence[str]) -> list[Job]:
        found = [(job_id, self._hash(f"job:{job_id}")) for job_id in ids]
        return [_job(job_id, fields) for job_id, fields in found if fields]


def _unavailable(error: redis.RedisError) -> StorageUnavailable:
    return StorageUnavailable(f"the job store in Redis cannot answer now: {error}")


def _fields(job: Job) -> dict[str, Any]:
    names = (
        "kind",
        "state",
        "stage",
        "cursor",
        "done",
        "total",
        "failed_items",
        "version",
        "error",
    )
    return {name: getattr(job, name) for name in names} | {"request": json.dumps(dict(job.request))}


def _flat(fields: Mapping[str, Any]) -> list[str]:
    """Field, value, field, value ... as HSET takes them; what is None is left out."""
    return [
        str(part) for name, value in fields.items() if value is not None for part in (name, value)
    ]


def _rows(items: Iterable[NewItem]) -> str:
    return json.dumps([[i.queue, i.key, json.dumps(dict(i.body))] for i in items])


def _outcome(outcome: Outcome) -> dict[str, Any]:
    item = outcome.item
    row: dict[str, Any] = {
        "seq": item.seq,
        "token": item.token,
        "job": item.job_id,
        "done": 0,
        "failed": 0,
        "error": "",
    }
    match outcome:
        case Done():
            return row | {
                "done": outcome.done,
                "failed": outcome.failed,
                "error": outcome.error or "",
            }
        case Retry():
            return row | {"after": outcome.after_s, "attempts": outcome.attempts}
        case GiveUp():
            return row | {"failed": 1, "error": outcome.message, "dead": _flat(_why(outcome))}


def _why(outcome: GiveUp) -> dict[str, str]:
    return {"stage": outcome.stage, "reason": outcome.reason, "message": outcome.message}


def _letter(seq: int, found: Mapping[str, str]) -> DeadLetter:
    why = {name: found[name] for name in ("stage", "reason", "message")}
    return DeadLetter(
        seq, found["key"], json.loads(found["body"]), **why, at_s=float(found["at_s"])
    )


def _job(job_id: str, found: Mapping[str, str]) -> Job:
    values: dict[str, Any] = {name: value for name, value in found.items() if name != "number"}
    values |= {name: int(values[name]) for name in _INTEGERS if name in values}
    values |= {name: float(values[name]) for name in _TIMES if name in values}
    values |= {
        "kind": Kind(found["kind"]),
        "state": JobState(found["state"]),
        "request": json.loads(found["request"]),
    }
    return Job(id=job_id, **values)
