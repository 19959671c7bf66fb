"""The ingest worker: a huey consumer whose threads work through the job store."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import closing
from types import FrameType
from typing import Any

from huey.consumer import Consumer

from ingest.jobs.factory import open_store
from ingest.jobs.queue import Queue
from ingest.jobs.store import JobStore
from ingest.logs import configure_logging
from ingest.tasks.runner import Runner
from vitrine.errors import StorageUnavailable, VitrineError
from vitrine.settings import Settings, load_settings
from vitrine.wiring import Vitrine

__all__ = ["Worker", "main", "work_until_told_to_stop"]

log = logging.getLogger(__name__)

_LOOK_S = 1.0
"""Between looks into the store for work that no invitation told of: left by a dead worker, or due to be tried again."""

_RECOVER_S = 10.0


class _Consumer(Consumer):  # type: ignore[misc]  # huey ships no types
    """Huey's consumer under our own signal handlers."""

    def _set_signal_handlers(self) -> None:
        pass


class Worker:
    """Threads that take jobs until they are stopped; any number of workers share one queue."""

    def __init__(self, vitrine: Vitrine, store: JobStore) -> None:
        self._vitrine, self._store = vitrine, store
        self._runner = Runner(vitrine, store)
        self._queue = Queue(vitrine.settings, self._runner.drain)
        options: dict[str, Any] = {
            "initial_delay": 0.05,
            "max_delay": 0.5,
            "periodic": False,
            "health_check_interval": 5,
        }
        self._consumer = _Consumer(
            self._queue.huey, workers=vitrine.settings.worker_threads, **options
        )

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then what is under way is finished or given back, and nothing is lost."""
        self._consumer.start()
        log.info("worker started with %d threads", self._vitrine.settings.worker_threads)
        mended = -_RECOVER_S
        try:
            while not stop.is_set():
                mend = time.monotonic() - mended >= _RECOVER_S
                mended = time.monotonic() if mend else mended
                self._look(mend=mend)
                stop.wait(_LOOK_S)
        finally:
            self._runner.stopping.set()
            self._consumer.stop(graceful=True)
            self._queue.close()
            log.info("worker stopped")

    def _look(self, *, mend: bool) -> None:
        try:
            if mend:
                self._runner.recover()
                self._consumer.check_worker_health()
            waiting = self._store.waiting()
        except VitrineError as error:
            level = logging.WARNING if isinstance(error, StorageUnavailable) else logging.ERROR
            log.log(level, "the worker cannot look for work: %s", error)
            return
        if waiting:
            self._queue.notify(min(waiting, self._vitrine.settings.worker_threads))


def work_until_told_to_stop(settings: Settings) -> None:
    """Run a worker in this process until SIGTERM or Ctrl-C; a second signal ends it at once."""
    stop = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        log.info("%s: the worker finishes what is under way", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    with closing(Vitrine(settings)) as vitrine, closing(open_store(settings)) as store:
        Worker(vitrine, store).run(stop)


def main() -> None:
    """`python -m ingest.worker` works as `vitrine worker` does."""
    settings = load_settings()
    configure_logging(settings)
    work_until_told_to_stop(settings)


if __name__ == "__main__":
    main()
