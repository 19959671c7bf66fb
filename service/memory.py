"""How glibc keeps what was freed: a search frees megabytes that the next one needs again."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""mallopt's names of the limits (malloc.h)."""
_KEPT = 32 << 20
"""Bytes of freed memory that stay with a pool; asking the system anew costs more than a scan."""
_POOLS = 2
"""Instead of several for each core, which a dozen threads fill with a hundred megabytes."""


def keep_freed_memory() -> None:
    """Have this process keep few pools of freed memory, and give little of them back to the system.

    Nothing changes where a MALLOC_ variable of the environment decides, or with another C library.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for limit, value in (
            (_ARENA_MAX, _POOLS),
            (_MMAP_THRESHOLD, _KEPT),
            (_TRIM_THRESHOLD, _KEPT),
        ):
            library.mallopt(limit, value)
