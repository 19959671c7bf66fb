"""The time that orders writes and bounds what later pages see."""

from __future__ import annotations

import threading
import time

__all__ = ["DIFFERENCE", "now"]

DIFFERENCE = 500_000
"""Microseconds by which the clocks of machines that write may differ; NTP keeps them within a few
thousand."""

_lock = threading.Lock()
_last = 0


def now() -> int:
    """Microseconds since 1970, below 2^53 and greater at every call in this process.

    Processes on several machines agree as well as their clocks do: further pages may miss or repeat
    a product that was written within their difference before the first page.
    """
    global _last  # noqa: PLW0603  # the process has one clock
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        return _last
