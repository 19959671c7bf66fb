"""Memory that was freed: glibc keeps some of it for later requests and gives some back, and Python
looks for reference cycles to free."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress

__all__ = ["collect_cycles_seldom", "give_back_freed_memory", "keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""mallopt's names of the limits (malloc.h)."""
_KEPT = 32 << 20
"""Bytes of freed memory that stay with a pool: what a search or a picture has freed, the next one
needs again, and to have it anew from the system costs half as much as decoding the picture."""
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


def give_back_freed_memory() -> None:
    """Give back what is free in all pools (malloc_trim(3)), where the C library can; milliseconds.

    For the end of a step that took much memory: without it the next step's comes on top.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def collect_cycles_seldom() -> None:
    """Have Python look for reference cycles after ten thousand new objects instead of 700.

    A request leaves eight small ones. Looking for them took 0.14 ms of it, and after every thousand
    requests or so all others waited 75 ms until everything had been looked through. Of what a
    product takes of the process that ingests, it was a sixth.
    """
    gc.set_threshold(10_000)
