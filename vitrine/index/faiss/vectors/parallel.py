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

__all__ = ["parallel_map"]

_Item = TypeVar("_Item")
_Number = TypeVar("_Number", bound=np.generic)


def parallel_map(
    work: Callable[[_Item], NDArray[_Number]], items: Sequence[_Item]
) -> NDArray[_Number]:
    """The results (n,) of one or more items, concatenated; `work` should release Python's lock.

    The calling thread works as well: where the other cores are busy it does most of it itself, and
    never waits for one that has not begun.
    """
    if len(items) == 1:
        return work(items[0])
    remaining, results = deque(range(len(items))), dict[int, NDArray[_Number]]()

    def work_on_remaining() -> None:
        while remaining:
            try:
                place = remaining.popleft()
            except IndexError:  # another thread took the last one
                return
            results[place] = work(items[place])

    helpers = [_pool().submit(work_on_remaining) for _ in range(_other_cores())]
    work_on_remaining()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return np.concatenate([results[place] for place in range(len(items))])


def _other_cores() -> int:
    return (os.cpu_count() or 1) - 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _other_cores()), thread_name_prefix="scan")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
