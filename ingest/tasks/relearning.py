"""The live version learns again when live writes have changed a fifth of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ingest.jobs.locks import lock_owner
from ingest.jobs.store import JobStore
from ingest.notices import Notices
from vitrine.errors import Cancelled, NoLiveVersion, VitrineError
from vitrine.learning import is_stale, learn_if_stale
from vitrine.wiring import Vitrine

__all__ = ["Relearning"]

log = logging.getLogger(__name__)

_LOCK = "learning"
_LEASE_S = 3600.0
"""More than any version takes (a minute for a million products): a worker that dies while it learns
holds the lock no longer."""

_PAUSES = 10
"""After a learning that took t seconds the next begins no sooner than this times t: a small shop
that is written all the time spends a tenth of one core on it at most."""


class Relearning:
    """Looks whether the live version is due, and lets one of all workers teach it in a thread.

    Writes and searches go on meanwhile; searches read the new words as soon as they are stored.
    `check` raises `Cancelled` where the worker stops.
    """

    def __init__(
        self,
        vitrine: Vitrine,
        store: JobStore,
        *,
        check: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vitrine, self._store, self._check, self._clock = vitrine, store, check, clock
        self._owner = lock_owner("learning")
        self._notices = Notices(log)
        self._thread: threading.Thread | None = None
        self._not_before = clock()

    def look(self) -> None:
        """Begin to learn where that is due and no worker does it already; returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._clock() < self._not_before:
            return
        try:
            if not self._due() or self._store.lock(_LOCK, self._owner, lease_s=_LEASE_S):
                return
        except NoLiveVersion:
            return
        except VitrineError as error:
            self._notices.tell(f"the worker cannot check whether there are words to learn: {error}")
            return
        self._thread = threading.Thread(target=self._learn, name="learn")
        self._thread.start()

    def wait(self) -> None:
        """Wait until a learning that is under way has ended."""
        if self._thread is not None:
            self._thread.join()

    def _due(self) -> bool:
        live = self._vitrine.versions.live()
        return live.info.words and live.count() > 0 and is_stale(live)

    def _learn(self) -> None:
        started = self._clock()
        try:
            versions = self._vitrine.versions
            live = versions.live()
            embedder = self._vitrine.embedders.for_index(live)
            model = learn_if_stale(versions, live, embedder, check=self._check)
            if model is not None:
                products = model.constants.products
                log.info("%s has learned again from %d products", live.info.name, products)
        except Cancelled:
            log.info("the worker is stopping; another one will learn the new words")
        except VitrineError as error:
            self._notices.tell(f"the new words could not be learned: {error}")
        finally:
            self._not_before = self._clock() + _PAUSES * (self._clock() - started)
            self._release()

    def _release(self) -> None:
        try:
            self._store.unlock(_LOCK, self._owner)
        except VitrineError as error:
            self._notices.tell(f"the lock for learning could not be released: {error}")
