"""Writes into a job store, in few words."""

from __future__ import annotations

import time

from ingest.jobs.models import WRITES, Item, Job, Kind, NewItem
from ingest.jobs.store import JobStore


def write(key: str, body: str = "") -> NewItem:
    return NewItem(WRITES, key, {"v": body})


def upsert(store: JobStore, job_id: str, *keys: str) -> None:
    store.add(
        Job(job_id, Kind.UPSERT, total=len(keys)),
        [write(key, f"{job_id}/{n}") for n, key in enumerate(keys)],
    )


def claim(store: JobStore, limit: int = 10, queue: str = WRITES, lease_s: float = 60) -> list[Item]:
    return store.claim(queue, limit=limit, lease_s=lease_s)


def expire(store: JobStore, items: list[Item]) -> None:
    """Let the leases of a worker that died run out."""
    store.renew(items, lease_s=0.001)
    time.sleep(0.01)
