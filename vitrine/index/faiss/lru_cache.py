"""A cache bounded by the memory of what it holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

__all__ = ["SizedLRUCache"]

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")

_SMALL = 500
"""Bytes that a small result takes."""
_PART = 16
"""Bytes of a number, or of what holds others."""


class SizedLRUCache:
    """Keeps the results used last, up to a total of bytes; safe to use from several threads.

    Two threads that miss the same key both compute it: cheaper than making one wait.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(
        self, key: Hashable, make: Callable[[], T], *, nbytes: Callable[[T], int] | None = None
    ) -> T:
        """The cached result, or a new one from `make`, cached unless larger than the capacity."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
                cached: T = entry[0]
                return cached
        result = make()
        with self._lock:
            weight = _SMALL if nbytes is None else nbytes(result)
            self._add(key, result, weight + _nbytes(key))  # keys hold what clients sent
        return result

    def get_many(
        self,
        keys: Sequence[Key],
        make: Callable[[Sequence[Key]], Mapping[Key, T]],
        *,
        nbytes: Callable[[T], int],
    ) -> dict[Key, T]:
        """The results of several keys, of which `make` makes at once those that are not cached.

        Lacks those that it does not make.
        """
        results: dict[Key, T] = {}
        with self._lock:
            for key in keys:
                entry = self._entries.get(key)
                if entry is not None:
                    self._entries.move_to_end(key)
                    results[key] = entry[0]
        missing = [key for key in keys if key not in results]
        if missing:
            made = make(missing)
            with self._lock:
                for key, result in made.items():
                    self._add(key, result, nbytes(result) + _nbytes(key))
            results.update(made)
        return results

    def _add(self, key: Hashable, result: object, nbytes: int) -> None:
        if key in self._entries or nbytes > self._capacity:
            return
        self._entries[key] = (result, nbytes)
        self._nbytes += nbytes
        while self._nbytes > self._capacity:
            self._nbytes -= self._entries.popitem(last=False)[1][1]


def _nbytes(key: object) -> int:
    """About what a key holds: texts and bytes by their length, all else by what it consists of.

    Of a dataclass the fields count that tell it from others; the rest is not the key's own.
    """
    if isinstance(key, str | bytes):
        return len(key)
    if isinstance(key, tuple | frozenset):
        return sum(map(_nbytes, key), _PART)
    kind = type(key)
    if kind not in _COMPARED:
        compared = [f.name for f in fields(key) if f.compare] if is_dataclass(key) else []
        _COMPARED[kind] = tuple(compared)
    names = _COMPARED[kind]
    return sum((_nbytes(getattr(key, name)) for name in names), _PART) if names else _PART


_COMPARED: dict[type, tuple[str, ...]] = {}
"""The fields of each class of keys that tell two of them apart; there are few classes."""
