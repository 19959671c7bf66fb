"""The pictures and texts of one run: each is fetched and embedded once, however many products share
it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from ingest.pictures import Picture
from ingest.pipeline.flow import Flow, Promise
from vitrine.products import Vector

__all__ = ["KnownPicture", "RunPictures", "RunVectors"]

_ADDRESSES = 100_000
"""Addresses remembered, at some 300 bytes each."""

_VECTORS = 10_000
"""Vectors remembered, at 2 kB each where the model has 512 dimensions."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class KnownPicture:
    """What an address turned out to hold: the picture's key, or why it was refused."""

    def __init__(self, flow: Flow) -> None:
        self.key: Promise[str] = flow.promise()
        self._claimed = False
        self._lock = flow.lock

    def claim(self) -> bool:
        """Whether the caller is the first, who is to read it; all others wait for its `key`."""
        with self._lock:
            claimed, self._claimed = self._claimed, True
        return not claimed


class RunVectors:
    """The vectors that a run makes; safe from several threads.

    What was met longest ago is forgotten first.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._lock = threading.Lock()
        self._vectors: _Latest[str, Promise[Vector]] = _Latest(_VECTORS)

    def vector(self, key: str) -> tuple[Promise[Vector], bool]:
        """The vector of a picture by its key or of a text, and whether it is for the caller to
        have it made."""
        with self._lock:
            promise = self._vectors.get(key)
            if promise is not None:
                return promise, False
            return self._vectors.put(key, self._flow.promise()), True

    def resolved(self, vector: Vector) -> Promise[Vector]:
        """A vector that is known already."""
        promise: Promise[Vector] = self._flow.promise()
        promise.give(vector)
        return promise


class RunPictures(RunVectors):
    """The vectors of pictures, and what their addresses turned out to hold."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        self._addresses: _Latest[str, KnownPicture] = _Latest(_ADDRESSES)

    def known(self, picture: Picture) -> KnownPicture:
        """The entry of a picture's address or file; a new one for bytes, which have none."""
        address = picture.url or picture.path
        if address is None:
            return KnownPicture(self._flow)
        with self._lock:
            return self._addresses.get(address) or self._addresses.put(
                address, KnownPicture(self._flow)
            )


def picture_key(data: bytes) -> str:
    """The image store's key of a picture."""
    return hashlib.sha256(data).hexdigest()


class _Latest(Generic[K, V]):
    """The values used last, up to a number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        self._values[key] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value
