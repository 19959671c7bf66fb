"""Many named arrays in one file that is mapped, not read, with a check that finds damage."""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ArrayInParts",
    "Places",
    "append_arrays",
    "checksum",
    "forget_pages",
    "map_array",
    "map_arrays",
    "placed_arrays",
    "write_arrays",
]

Places: TypeAlias = dict[str, dict[str, Any]]
"""Where arrays lie in a file, and what they are."""

_ALIGN = 64
_WHOLE = 64_000_000
_BLOCK, _BLOCKS = 65_536, 64
_AT_ONCE = 1 << 20
"""Numbers of an array that are written at once."""


@dataclass(frozen=True, eq=False)
class ArrayInParts:
    """An array (length,) of which memory need only hold one part at a time."""

    dtype: np.dtype[Any]
    length: int
    parts: Iterable[NDArray[Any]]


def write_arrays(path: Path, arrays: Iterable[tuple[str, NDArray[Any] | ArrayInParts]]) -> None:
    """Write the arrays one after the other to `path`, and where each lies to `path`.json.

    Each is asked for when the one before it is written, so that they need not be in memory at once.
    """
    with path.open("wb") as file:
        places = append_arrays(file, arrays)
    path.with_suffix(".json").write_text(json.dumps(places))


def append_arrays(
    file: IO[bytes], arrays: Iterable[tuple[str, NDArray[Any] | ArrayInParts]]
) -> Places:
    """Write the arrays as `write_arrays` does; returns where each lies."""
    places: Places = {}
    for name, array in arrays:
        file.write(bytes(-file.tell() % _ALIGN))
        shape = (array.length,) if isinstance(array, ArrayInParts) else array.shape
        places[name] = {"at": file.tell(), "dtype": array.dtype.str, "shape": shape}
        for part in array.parts if isinstance(array, ArrayInParts) else _parts(array):
            file.write(np.ascontiguousarray(part).data)  # tofile lets go of errors
            del part
        del array  # before the next one takes memory
    return places


def _parts(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The array, some of it at a time; what was mapped for it leaves the memory again."""
    if array.ndim != 1:
        yield array
        return
    for start in range(0, len(array), _AT_ONCE):
        part = array[start : start + _AT_ONCE]
        yield part
        forget_pages(part)


def forget_pages(array: NDArray[Any]) -> None:
    """Let the pages of an array that is mapped read-only leave this process's memory: they come
    back from the system's cache, or the file, when they are read again."""
    writable = array.flags.writeable  # codespell:ignore  # numpy's spelling
    if writable or not array.flags.c_contiguous or not array.nbytes:
        return
    owner: Any = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if isinstance(owner, mmap.mmap):
        first = array.ctypes.data - np.frombuffer(owner, np.uint8).ctypes.data
        start = first - first % mmap.PAGESIZE
        owner.madvise(mmap.MADV_DONTNEED, start, first + array.nbytes - start)


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays that `write_arrays` wrote, read-only and mapped: processes share their memory."""
    places = json.loads(path.with_suffix(".json").read_text())
    return placed_arrays(map_array(path, np.uint8, (path.stat().st_size,)), places)


def placed_arrays(block: NDArray[np.uint8], places: Places) -> dict[str, NDArray[Any]]:
    """The arrays that lie in a block of bytes."""
    arrays = {}
    for name, place in places.items():
        dtype, count = np.dtype(place["dtype"]), int(np.prod(place["shape"]))
        stored = block[place["at"] : place["at"] + count * dtype.itemsize]
        arrays[name] = stored.view(dtype).reshape(place["shape"])
    return arrays


def map_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """A file as one array, read-only and mapped."""
    if not np.prod(shape):
        return np.zeros(shape, dtype)
    return np.asarray(np.memmap(path, dtype, mode="r", shape=shape))


def checksum(path: Path) -> list[int]:
    """Size and CRC-32 of a file; of a large one of 64 blocks spread over it: opening is quick."""
    size = path.stat().st_size
    starts = (
        range(0, size, _BLOCK)
        if size <= _WHOLE
        else [i * (size - _BLOCK) // (_BLOCKS - 1) for i in range(_BLOCKS)]
    )
    crc = 0
    with path.open("rb") as file:
        for start in starts:
            file.seek(start)
            crc = zlib.crc32(file.read(_BLOCK), crc)
    return [size, crc]
