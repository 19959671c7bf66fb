"""Work on arrays shared among the processor's cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_every_core"]

_Part = TypeVar("_Part")
_Number = TypeVar("_Number", bound=np.generic)


def by_every_core(
    work: Callable[[_Part], NDArray[_Number]], parts: Sequence[_Part]
) -> NDArray[_Number]:
    """The results (n,) of one or more parts, one after the other; `work` spends its time outside Python's lock.

    The calling thread works as well: where the other cores are busy it does most of it itself, and never waits for one
    that has not begun.
    """
    if len(parts) == 1:
        return work(parts[0])
    left, found = deque(range(len(parts))), dict[int, NDArray[_Number]]()

    def share() -> None:
        while left:
            try:
                place = left.popleft()
            except IndexError:  # another thread took the last one
                return
            found[place] = work(parts[place])

    helping = [_helpers().submit(share) for _ in range(_others())]
    share()
    for helper in helping:
        if not helper.cancel():
            helper.result()
    return np.concatenate([found[place] for place in range(len(parts))])


def _others() -> int:
    return (os.cpu_count() or 1) - 1


@cache
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _others()), thread_name_prefix="scan")


os.register_at_fork(after_in_child=_helpers.cache_clear)  # threads do not survive a fork
