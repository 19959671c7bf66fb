"""Whether searches are answered: one check at a time, with an answer within a second."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from time import monotonic, time_ns

from vitrine.embedding.caching import CachingEmbedder
from vitrine.errors import ModelBusy
from vitrine.wiring import Vitrine

__all__ = ["Readiness", "Ready"]

_WAIT_S = 0.7
"""For a check: probes are to be answered within a second."""
_HOLDS_S = 30.0
"""How long the last good check is believed while the next one waits behind other queries."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Which version answers, and how many products it holds."""

    version: str
    model: str
    backend: str
    products: int


class Readiness:
    """Embeds a probe and reads the live version; simultaneous probes share one check."""

    def __init__(self, vitrine: Vitrine) -> None:
        self._vitrine = vitrine
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._lock = threading.Lock()
        self._running: Future[Ready] | None = None
        self._last: tuple[float, Ready] | None = None

    def check(self) -> Ready:
        """Which version answers; raises why none does, and `ModelBusy` if that takes too long."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._pool.submit(self._examine)
            running = self._running
        try:
            return running.result(_WAIT_S)
        except FutureTimeout:
            if self._last is not None and monotonic() - self._last[0] < _HOLDS_S:
                return self._last[1]
            raise ModelBusy("the model or the index did not answer a probe in time") from None

    def _examine(self) -> Ready:
        serving = self._vitrine.live.current()
        embedder = serving.embedder
        if isinstance(embedder, CachingEmbedder):
            embedder = embedder.inner  # probes would take the places of queries
        embedder.embed_texts([f"probe {time_ns()}"])
        info = serving.index.info
        ready = Ready(info.name, info.model, info.backend, serving.index.count())
        self._last = (monotonic(), ready)
        return ready
