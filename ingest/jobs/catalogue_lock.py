"""The lock of the catalogue for a bulk ingest that does not run as a worker's job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ingest.jobs.factory import open_store
from ingest.jobs.locks import has_died, lock_conflict, lock_owner
from ingest.jobs.models import LockHolder
from ingest.jobs.store import CATALOGUE, JobStore
from vitrine.errors import NotFound, StorageUnavailable
from vitrine.settings import IngestSettings

__all__ = ["catalogue_lock"]

log = logging.getLogger(__name__)


@contextmanager
def catalogue_lock(settings: IngestSettings, purpose: str) -> Iterator[Callable[[], bool]]:
    """Hold the catalogue while a bulk ingest writes; gives what says whether the lock was lost.

    `Conflict` naming the holder while a reindex or another ingest runs. A holder that dies frees
    it: at once for who asks on the same host, after JOB_LEASE_S for others.
    """
    owner = lock_owner(purpose)
    with closing(open_store(settings)) as store:
        holder = store.lock(CATALOGUE, owner, lease_s=settings.job_lease_s)
        if holder is not None and has_died(holder.owner):
            store.unlock(CATALOGUE, holder.owner)
            holder = store.lock(CATALOGUE, owner, lease_s=settings.job_lease_s)
        if holder is not None:
            raise lock_conflict(holder, is_job=_is_job(store, holder))
        stop, lost = threading.Event(), threading.Event()
        keeper = threading.Thread(
            target=_keep,
            args=(store, owner, settings.job_lease_s, stop, lost),
            name="keep-lock",
            daemon=True,
        )
        keeper.start()
        try:
            yield lost.is_set
        finally:
            stop.set()
            keeper.join()
            store.unlock(CATALOGUE, owner)


def _keep(
    store: JobStore, owner: str, lease_s: float, stop: threading.Event, lost: threading.Event
) -> None:
    while not stop.wait(lease_s / 3):
        try:
            if store.lock(CATALOGUE, owner, lease_s=lease_s) is not None:
                lost.set()
                return
        except StorageUnavailable as error:
            log.warning("the lock of the catalogue could not be renewed: %s", error)


def _is_job(store: JobStore, holder: LockHolder) -> bool:
    try:
        store.job(holder.owner)
    except NotFound:
        return False
    return True
