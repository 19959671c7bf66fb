"""How often each key and each client may ask: a token bucket for each, in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic

__all__ = ["Rates"]

_BURST_S = 2.0
"""Seconds' worth of requests that may come at once after a pause."""
_MOST_BUCKETS = 50_000
"""Whoever asked least lately is forgotten first, and has a full bucket again."""


class Rates:
    """Counts the requests of callers by name; safe to use from several threads.

    Each serving process counts what it answers, so each allows its share of a rate.
    """

    def __init__(self, *, processes: int = 1, clock: Callable[[], float] = monotonic) -> None:
        self._processes = processes
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, rate: float) -> int:
        """0, and the request is counted; or the seconds after which it may be sent again."""
        share = rate / self._processes
        capacity = max(1.0, share * _BURST_S)
        now = self._clock()
        with self._lock:
            tokens, since = self._buckets.get(name, (capacity, now))
            tokens = min(capacity, tokens + (now - since) * share)
            wait = 0 if tokens >= 1 else ceil((1 - tokens) / share)
            self._buckets[name] = (tokens - 1 if wait == 0 else tokens, now)
            self._buckets.move_to_end(name)
            while len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return wait
