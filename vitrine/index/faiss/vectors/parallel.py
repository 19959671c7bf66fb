"""Work on arrays shared among the processor's cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vitrine.cores import usable_cores

__all__ = ["parallel_map", "parallel_parts"]

_MOST_HELPERS = 15
"""A scan is bound by the memory, which fewer cores than a large machine has use up."""

_Item = TypeVar("_Item")
_Part = TypeVar("_Part")
_Number = TypeVar("_Number", bound=np.generic)


def parallel_map(
    work: Callable[[_Item], NDArray[_Number]], items: Sequence[_Item]
) -> NDArray[_Number]:
    """The results of `parallel_parts` concatenated; `items` are one or more."""
    return work(items[0]) if len(items) == 1 else np.concatenate(parallel_parts(work, items))


def parallel_parts(work: Callable[[_Item], _Part], items: Sequence[_Item]) -> list[_Part]:
    """The result of each item.

    `work` should release Python's lock. The calling thread works as well: where the other cores are
    busy it does most of it itself, and never waits for one that has not begun. Callers at the same
    time share the other cores, so that under load each works alone and none pays for waking
    helpers.
    """
    with _callers as others:
        return _mapped(work, items, helpers=min(others, len(items) - 1))


def _mapped(work: Callable[[_Item], _Part], items: Sequence[_Item], *, helpers: int) -> list[_Part]:
    remaining, results = deque(range(len(items))), dict[int, _Part]()

    def work_on_remaining() -> None:
        while remaining:
            try:
                place = remaining.popleft()
            except IndexError:  # another thread took the last one
                return
            results[place] = work(items[place])

    submitted = [_pool().submit(work_on_remaining) for _ in range(helpers)]
    work_on_remaining()
    for helper in submitted:
        if not helper.cancel():
            helper.result()
    return [results[place] for place in range(len(items))]


@cache
def _other_cores() -> int:
    return min(usable_cores() - 1, _MOST_HELPERS)


class _Callers:
    """Counts who maps at once; entering tells how many cores each of them may have besides."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = Lock()

    def __enter__(self) -> int:
        with self._lock:
            self._count += 1
            return _other_cores() // self._count

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1


_callers = _Callers()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _other_cores()), thread_name_prefix="scan")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
