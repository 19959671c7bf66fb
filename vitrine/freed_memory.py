"""Giving memory back that is free: glibc keeps much of it for later requests."""

from __future__ import annotations

import ctypes
from contextlib import suppress

__all__ = ["give_back_freed_memory"]


def give_back_freed_memory() -> None:
    """Give back what is free in all pools (malloc_trim(3)), where the C library can; milliseconds.

    For the end of a step that took much memory: without it the next step's comes on top.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
