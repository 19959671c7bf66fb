"""Whole requests on their way through the application: a bounded queue before a fixed pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from service.edge.calls import CLIENT_GONE, WAITED, Answer, Environ, WsgiApp, call
from service.edge.limits import EdgeLimits
from service.edge.refusals import FAILED, WAITED_TOO_LONG, Refusal
from vitrine.abandonment import abandoned_when

__all__ = ["Workload"]

log = logging.getLogger(__name__)

_PROBE_THREADS = 2
LARGE_BODY = 4_000_000
"""Bytes from which on a body takes tens of milliseconds to be parsed, when nothing else runs."""
_LARGE_AT_ONCE = 2
"""Requests with such a body that run at once: more would only wait for each other, and all others
for them."""


Done = Callable[[Answer | Refusal | None], None]


class Workload:
    """Runs the application in threads.

    All of this but `_run` belongs to the event loop's thread.
    """

    def __init__(self, app: WsgiApp, limits: EdgeLimits, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._limits = limits
        self._loop = loop
        self._requests = ThreadPoolExecutor(limits.threads, thread_name_prefix="request")
        large = min(_LARGE_AT_ONCE, limits.threads)
        self._large = ThreadPoolExecutor(large, thread_name_prefix="large-request")
        self._probes = ThreadPoolExecutor(_PROBE_THREADS, thread_name_prefix="probe")
        self.accepted = 0
        """Requests that run or wait for a thread."""
        self.held_bytes = 0
        """Of the bodies that are being read or worked on."""
        self.unsent_bytes = 0
        """Of the answers that clients have not taken yet."""

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return max(0, self.accepted - self._limits.threads)

    @property
    def full(self) -> bool:
        """Whether a further request must be refused."""
        limits = self._limits
        return (
            self.accepted >= limits.threads + limits.queue or self.unsent_bytes >= limits.held_bytes
        )

    @property
    def overfed(self) -> bool:
        """Whether the bodies that are held are more than may be."""
        return self.held_bytes > self._limits.held_bytes

    @property
    def clogged(self) -> bool:
        """Whether the answers that wait for their clients are more than may be."""
        return self.unsent_bytes > self._limits.held_bytes

    def is_probe(self, environ: Environ) -> bool:
        """Whether a request asks how the service is."""
        return environ["PATH_INFO"] in self._limits.probes

    def submit(self, environ: Environ, done: Done) -> None:
        """Answer a request; `done` is called in the loop's thread, with None if nobody waits."""
        if self.is_probe(environ):
            self._probes.submit(self._run, environ, monotonic(), done)
            return
        self.accepted += 1

        def leave(answer: Answer | Refusal | None) -> None:
            self.accepted -= 1
            done(answer)

        large = int(environ["CONTENT_LENGTH"]) >= LARGE_BODY
        pool = self._large if large else self._requests
        pool.submit(self._run, environ, monotonic(), leave)

    def close(self) -> None:
        """Accept no more work; what is running is finished."""
        for pool in (self._requests, self._large, self._probes):
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, environ: Environ, since: float, done: Done) -> None:
        answer: Answer | Refusal | None
        try:
            if environ[CLIENT_GONE]():
                answer = None
            elif monotonic() - since > self._limits.queue_timeout_s:
                answer = WAITED_TOO_LONG
            else:
                environ[WAITED] = monotonic() - since
                with abandoned_when(environ[CLIENT_GONE]):
                    answer = call(self._app, environ)
        except BaseException:  # a panic of a library in Rust is no Exception
            log.exception("the application failed on %s", environ["PATH_INFO"])
            answer = FAILED
        self._loop.call_soon_threadsafe(done, answer)
