"""The ingest worker: threads that work through the job store."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from contextlib import closing
from types import FrameType

from ingest.jobs.factory import open_store
from ingest.jobs.locks import lock_owner
from ingest.jobs.store import JobStore
from ingest.notices import Notices
from ingest.stop_request import StopRequest
from ingest.tasks.picture_collection import collect_pictures
from ingest.tasks.relearning import Relearning
from ingest.tasks.runner import Runner
from ingest.tasks.scheduling import Scheduler
from ingest.tasks.shrink import ShrinkLimit
from vitrine.errors import Cancelled, StorageUnavailable, VitrineError
from vitrine.freed_memory import collect_cycles_seldom
from vitrine.logs import configure_logging
from vitrine.settings import Settings, load_settings
from vitrine.storage.data_folder import require_writable
from vitrine.wiring import Vitrine

__all__ = ["Worker", "main", "work_until_told_to_stop"]

log = logging.getLogger(__name__)

_CANNOT_RUN = 2
"""Exit status of a program that cannot run under its settings."""

_FAILED = 1
"""That of one that may run later, such as on a disk that is full now: `vitrine up` starts it again
and meanwhile answers searches."""

_LOOK_S = 1.0
"""Between looks for work that wakes nobody: left by a dead worker, or due to be tried again."""

_RECOVER_S = 10.0
"""Between looks for what has died and what its schedule says is due."""
_DAY_S = 86_400.0
_TICK_S = 0.2
"""Python runs signal handlers in the main thread, which may not be the one that a signal wakes."""

_PAUSE_S = 1.0
"""After an error of the store or the index, before the next look."""


class Worker:
    """Threads that take jobs until they are stopped; any number of workers share one store."""

    def __init__(self, vitrine: Vitrine, store: JobStore) -> None:
        self._threads = vitrine.settings.worker_threads
        self._vitrine, self._store = vitrine, store
        self._runner = Runner(vitrine, store)
        self._scheduler = Scheduler(store)
        self._notices = Notices(log)
        self._collector: threading.Thread | None = None
        self._relearning = Relearning(vitrine, store, check=self._check_running)

    def run(self, stop: StopRequest) -> None:
        """Work until `stop` is set; then what is under way is finished or given back.

        Nothing is lost.
        """
        threads = [
            threading.Thread(target=self._work, name=f"worker-{number}")
            for number in range(self._threads)
        ]
        self._recover()
        for thread in threads:
            thread.start()
        log.info("worker started with %d threads", len(threads))
        try:
            recovered = time.monotonic()
            self._collect_pictures()
            while not stop.wait(_TICK_S):
                if time.monotonic() - recovered >= _RECOVER_S:
                    self._recover()
                    self._collect_pictures()
                    self._relearning.look()
                    recovered = time.monotonic()
        finally:
            self._runner.stopping.set()
            for thread in threads:
                thread.join()
            self._runner.close()
            if self._collector is not None:
                self._collector.join()
            self._relearning.wait()
            log.info("worker stopped")

    def _work(self) -> None:
        stopping = self._runner.stopping
        while not stopping.is_set():
            try:
                if not self._runner.step() and not stopping.is_set():
                    self._store.wait_for_work(_LOOK_S)
            except VitrineError as error:
                self._notices.tell(f"the worker cannot fetch work: {error}")
                stopping.wait(_PAUSE_S)
            except Exception:
                log.exception("an unexpected error in a worker's thread")
                stopping.wait(_PAUSE_S)

    def _collect_pictures(self) -> None:
        """Once a day, by one of all workers and beside its work; see `collect_pictures`."""
        settings = self._vitrine.settings
        if settings.image_store or settings.picture_grace_hours == 0:
            return  # others may use a store that was named; there it is a command
        try:
            owner = lock_owner("collecting pictures")
            if self._store.lock("pictures", owner, lease_s=_DAY_S) is None:
                self._collector = threading.Thread(target=self._collect, name="collect-pictures")
                self._collector.start()
        except VitrineError as error:
            self._notices.tell(f"the worker cannot fetch work: {error}")

    def _collect(self) -> None:
        limit = ShrinkLimit(self._vitrine.settings.max_shrink)
        try:
            collected = collect_pictures(
                self._vitrine, self._store, limit=limit, check=self._check_running
            )
        except VitrineError as error:
            log.warning("pictures that no product shows could not be collected: %s", error)
            return
        if collected.refusal is not None:
            log.warning("%s", collected.refusal)
        elif collected.removed:
            log.info("%d pictures that no product shows were removed", collected.removed)

    def _check_running(self) -> None:
        if self._runner.stopping.is_set():
            raise Cancelled("the worker stops")

    def _recover(self) -> None:
        try:
            self._runner.recover()
            self._scheduler.look()
        except VitrineError as error:
            self._notices.tell(f"the worker cannot fetch work: {error}")


def work_until_told_to_stop(settings: Settings) -> None:
    """Run a worker in this process until SIGTERM or Ctrl-C; a second signal ends it at once.

    `InvalidSettings` for a data folder that cannot be written.
    """
    require_writable(settings.data_dir)
    collect_cycles_seldom()
    stop = StopRequest()

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        log.info("%s: the worker is finishing its work in progress", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    with closing(Vitrine(settings)) as vitrine, closing(open_store(settings)) as store:
        Worker(vitrine, store).run(stop)


def main() -> None:
    """`python -m ingest.worker` works as `vitrine worker` does."""
    try:
        settings = load_settings()
        configure_logging(settings)
        work_until_told_to_stop(settings)
    except VitrineError as error:
        sys.stderr.write(f"vitrine: {error}\n")
        sys.exit(_FAILED if isinstance(error, StorageUnavailable) else _CANNOT_RUN)


if __name__ == "__main__":
    main()
