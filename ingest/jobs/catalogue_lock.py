"""The lock of the catalogue for a bulk ingest that is no job of a worker."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ingest.jobs.factory import open_store
from ingest.jobs.locks import lock_conflict
from ingest.jobs.store import CATALOGUE, JobStore
from vitrine.errors import NotFound, StorageUnavailable
from vitrine.settings import IngestSettings

__all__ = ["catalogue_lock"]

_PROCESS = re.compile(r" on (?P<where>\S+(?: pid:\[\d+\])?) \(process (?P<number>\d+)\)$")

log = logging.getLogger(__name__)


@contextmanager
def catalogue_lock(settings: IngestSettings, who: str) -> Iterator[Callable[[], bool]]:
    """Hold the catalogue while a bulk ingest writes; gives a function that says whether the lock was lost meanwhile.

    `Conflict` naming the holder while a reindex or another ingest runs. A holder that dies frees it: at once for who
    asks on the same machine, after JOB_LEASE_S for others.
    """
    owner = f"{who} on {_here()} (process {os.getpid()})"
    with closing(open_store(settings)) as store:
        holder = store.lock(CATALOGUE, owner, lease_s=settings.job_lease_s)
        if holder is not None and _is_dead(holder):
            store.unlock(CATALOGUE, holder)
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


def _here() -> str:
    """This machine, and the space its process numbers count in: containers may share a host's name."""
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _is_dead(holder: str) -> bool:
    """Whether a holder is a process of this machine that no longer exists."""
    found = _PROCESS.search(holder)
    if found is None or found["where"] != _here():
        return False
    try:
        os.kill(int(found["number"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


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


def _is_job(store: JobStore, holder: str) -> bool:
    try:
        store.job(holder)
    except NotFound:
        return False
    return True
