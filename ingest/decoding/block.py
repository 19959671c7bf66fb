"""Memory that a process shares with its child, under no name: it goes with the last of the two."""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray

__all__ = ["PixelBlock", "unnamed_file"]


def unnamed_file(size: int) -> int:
    """The descriptor of a file of `size` bytes that has no name and ends with its last user.

    On Linux it is memory, which counts for the container but not for its /dev/shm; elsewhere a file
    of the temporary folder. `OSError` where there is no room for it: all of it is taken now, for
    whoever writes into a mapped hole that the system cannot fill is ended by SIGBUS.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("vitrine-pixels", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as temporary:
            descriptor = os.dup(temporary.fileno())
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(bytes(size))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class PixelBlock:
    """Places for `count` pictures of a shape (height, width), as levels; `descriptor` stays open
    with whoever opened it."""

    def __init__(self, descriptor: int, count: int, shape: tuple[int, int]) -> None:
        self._memory = mmap.mmap(descriptor, self.size(count, shape))
        flat: NDArray[np.uint8] = np.frombuffer(self._memory, np.uint8)
        self._pictures = flat.reshape(count, *shape, 3)

    @staticmethod
    def size(count: int, shape: tuple[int, int]) -> int:
        """Bytes of so many pictures."""
        return count * shape[0] * shape[1] * 3

    def put(self, place: int, levels: NDArray[np.uint8]) -> None:
        """Keep a picture, (height, width, 3), at a place."""
        self._pictures[place] = levels

    def copy(self, count: int) -> NDArray[np.uint8]:
        """The pictures of the first places, to be kept when these are used again."""
        return self._pictures[:count].copy()
