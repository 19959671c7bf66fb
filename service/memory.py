"""Memory of a serving process: when it goes back to the system after a rare large request."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from vitrine.freed_memory import give_back_freed_memory

__all__ = ["FreedMemory"]

_MUCH = 80 << 20
"""Bytes that are given back at once or not at all: some searches need tens of megabytes again."""
_LOOK_S = 2.0
_BUSY_LOOK_S = 15.0
"""Between two looks, when nothing is being answered and otherwise."""


def _anonymous_bytes() -> int:
    """Anonymous memory of this process (proc(5), statm); 0 where the system does not say.

    Pages of mapped indexes do not matter here: the system reclaims them itself.
    """
    with suppress(OSError, ValueError):
        pages = Path("/proc/self/statm").read_text("ascii").split()
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")
    return 0


class FreedMemory:
    """When to give freed memory back: once much more is in use than after the last time.

    `is_due` belongs to one thread; `give_back` may run in another, for it takes milliseconds.
    """

    def __init__(
        self,
        *,
        in_use: Callable[[], int] = _anonymous_bytes,
        trim: Callable[[], None] = give_back_freed_memory,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._in_use, self._trim, self._clock = in_use, trim, clock
        self._settled = 0
        self._busy = False
        self._looked = float("-inf")

    def is_due(self, *, busy: bool) -> bool:
        """Whether to call `give_back` now."""
        now = self._clock()
        if now - self._looked < (_BUSY_LOOK_S if busy else _LOOK_S):
            return False
        self._looked, self._busy = now, busy
        in_use = self._in_use()
        self._settled = min(self._settled, in_use)
        return in_use > self._settled + _MUCH

    def give_back(self) -> None:
        """Give back what can be; what is left while nothing is being answered is needed."""
        self._trim()
        if not self._busy:
            self._settled = self._in_use()
