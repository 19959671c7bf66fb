"""A worker's lease on its items while it works on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from types import TracebackType

from ingest.jobs.models import WorkItem
from ingest.jobs.store import WorkQueue
from vitrine.errors import Cancelled, StorageUnavailable

__all__ = ["Heartbeat", "Stopped"]

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Raised when the worker should stop; it gives back what it holds."""


class Heartbeat:
    """Renews the lease of items three times per lease, in a thread, while its block runs."""

    def __init__(
        self,
        store: WorkQueue,
        items: Sequence[WorkItem],
        *,
        lease_s: float,
        stopping: threading.Event,
    ) -> None:
        self._store, self._items, self._lease_s, self._stopping = store, items, lease_s, stopping
        self._stop, self._lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def check(self) -> None:
        """Raise `Cancelled` when the job has ended or the items are another worker's by now.

        `Stopped` when the worker is to stop.
        """
        if self._stopping.is_set():
            raise Stopped
        if self._lost.is_set():
            raise Cancelled("the job has ended, or another worker has its work")

    def confirm(self) -> None:
        """Renew at once, and raise as `check`: before a step that cannot be taken back."""
        if not self._store.renew(self._items, lease_s=self._lease_s):
            self._lost.set()
        self.check()

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._lease_s / 3):
            try:
                if not self._store.renew(self._items, lease_s=self._lease_s):
                    self._lost.set()
                    return
            except StorageUnavailable as error:
                log.warning("a lease could not be renewed: %s", error)
