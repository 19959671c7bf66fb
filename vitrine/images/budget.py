"""Memory that pictures take while they are decoded, bounded for a process or for several."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic, sleep
from typing import Protocol

from vitrine.errors import DecoderBusy

__all__ = ["Budget", "BudgetAmongProcesses", "DecodingBudget", "decoding_cost"]

_BYTES_PER_PIXEL = {"JPEG": 9, "MPO": 9, "WEBP": 17, "AVIF": 11, "HEIF": 10}
_OTHERWISE = 13
"""Peaks of Pillow 12 and its libraries, conversion to RGB included, as measured on 16
megapixels."""
_COEFFICIENTS = 6
"""Bytes per pixel that libjpeg keeps of a progressive JPEG, however small it is then decoded."""


def decoding_cost(
    kind: str, *, pixels: int, original_pixels: int, progressive: bool = False
) -> int:
    """Bytes that decoding takes at its peak; `pixels` are those that come out of the decoder."""
    cost = pixels * _BYTES_PER_PIXEL.get(kind, _OTHERWISE)
    return cost + original_pixels * _COEFFICIENTS if progressive else cost


class Budget(Protocol):
    """Bytes that pictures may take at once."""

    def hold(self, cost: int, *, total: int, wait_s: float) -> AbstractContextManager[None]:
        """Count `cost` as in use; `DecoderBusy` when it does not fit within `wait_s` seconds."""
        ...


class DecodingBudget:
    """Bytes that pictures may take at once; a decoder that finds them in use waits for a while."""

    def __init__(self) -> None:
        self._in_use = 0
        self._freed = threading.Condition()

    @property
    def in_use(self) -> int:
        """Bytes in use."""
        return self._in_use

    @contextmanager
    def hold(self, cost: int, *, total: int, wait_s: float) -> Iterator[None]:
        """Count `cost` as in use; `DecoderBusy` when it does not fit within `wait_s` seconds."""
        until = monotonic() + wait_s
        with self._freed:
            while self._in_use + cost > total and self._in_use:
                if not self._freed.wait(max(0.0, until - monotonic())):
                    raise DecoderBusy("too many large pictures are being decoded; try again soon")
            self._in_use += cost
        try:
            yield
        finally:
            with self._freed:
                self._in_use -= cost
                self._freed.notify_all()


class BudgetAmongProcesses:
    """A `Budget` of processes that decode one picture at a time each.

    A picture up to an equal share of the total is decoded at once; a larger one while it alone
    holds the lock of the file `descriptor`, which all share and no death keeps. So all together
    take less than twice the total.
    """

    _LOOK_S = 0.005
    """Seconds between attempts to lock: POSIX has no wait with a time limit."""

    def __init__(self, descriptor: int, processes: int) -> None:
        self._descriptor, self._processes = descriptor, processes

    @contextmanager
    def hold(self, cost: int, *, total: int, wait_s: float) -> Iterator[None]:
        """Hold the lock for a large picture; `DecoderBusy` when others hold it for too long."""
        if cost * self._processes <= total:
            yield
            return
        until = monotonic() + wait_s
        while True:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                if monotonic() > until:
                    raise DecoderBusy(
                        "too many large pictures are being decoded; try again soon"
                    ) from None
                sleep(self._LOOK_S)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
