"""A bounded memory of the answers asked for most recently."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["Recent"]

T = TypeVar("T")


class Recent:
    """Keeps results by key up to a total weight; safe to use from several threads.

    Two threads that miss the same key both compute it: cheaper than making one wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(
        self, key: Hashable, make: Callable[[], T], *, weight: Callable[[T], int] = lambda _: 500
    ) -> T:
        """The result kept under the key, or a new one from `make`; one heavier than the capacity is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                result: T = found[0]
                return result
        result = make()
        with self._lock:
            self._keep(key, result, weight(result))
        return result

    def _keep(self, key: Hashable, result: object, weight: int) -> None:
        if key in self._kept or weight > self._capacity:
            return
        self._kept[key] = (result, weight)
        self._weight += weight
        while self._weight > self._capacity:
            self._weight -= self._kept.popitem(last=False)[1][1]
