"""What `vitrine doctor` checks of the job store: whether workers take the work that waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from ingest.jobs.factory import open_store, sqlite_path
from ingest.jobs.models import BULK, WRITES
from ingest.jobs.store import JobStore
from vitrine.wiring import Vitrine

__all__ = ["workers"]

_PATIENCE_S = 5.0
"""A worker looks for work every second."""
_LOOK_S = 0.2


def workers(vitrine: Vitrine, *, patience_s: float = _PATIENCE_S) -> Iterator[str]:
    """A fault where work waits and nobody takes any of it within `patience_s` seconds.

    `StorageUnavailable` where the queue cannot be read.
    """
    path = sqlite_path(vitrine.settings)
    if path is not None and not path.exists():
        return  # nothing has been asked of a worker yet
    with closing(open_store(vitrine.settings)) as store:
        until = time.monotonic() + patience_s
        while waiting := _unclaimed(store):
            if time.monotonic() >= until:
                yield (
                    f"{waiting} writes or parts of jobs wait and no worker takes them; start one"
                    " with `vitrine worker` or `vitrine up`, or read its log"
                )
                return
            time.sleep(_LOOK_S)


def _unclaimed(store: JobStore) -> int:
    """How many items could be taken (up to 100), where nobody holds any; 0 where somebody does."""
    held = store.held(WRITES) + store.held(BULK)
    return 0 if held else store.waiting()
