"""Writes into a job store, in few words."""

from __future__ import annotations

import time

from ingest.jobs.models import BULK, WRITES, DeadLetter, Job, Kind, LockHolder, NewItem, WorkItem
from ingest.jobs.store import JobStore
from ingest.jobs.work import CopyRange, PatchProduct


def write(key: str, body: str = "") -> NewItem:
    return NewItem(WRITES, key, PatchProduct({"v": body}))


def body(item: WorkItem | DeadLetter) -> object:
    """What `write` put into an item."""
    assert isinstance(item.work, PatchProduct)
    return item.work.changes["v"]


def step(key: str) -> NewItem:
    """An item of a reindex."""
    return NewItem(BULK, key, CopyRange(None, key))


def upsert(store: JobStore, job_id: str, *keys: str) -> None:
    store.add(
        Job(job_id, Kind.UPSERT, total=len(keys)),
        [write(key, f"{job_id}/{n}") for n, key in enumerate(keys)],
    )


def claim(
    store: JobStore, limit: int = 10, queue: str = WRITES, lease_s: float = 60
) -> list[WorkItem]:
    return store.claim(queue, limit=limit, lease_s=lease_s)


def owner(holder: LockHolder | None) -> str | None:
    return None if holder is None else holder.owner


def expire(store: JobStore, items: list[WorkItem]) -> None:
    """Let the leases of a worker that died run out."""
    store.renew(items, lease_s=0.001)
    time.sleep(0.01)
