"""Columns as arrays of a file, and columns of many batches joined through one."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.types import Column
from vitrine.storage.array_file import ArrayInParts, append_arrays, placed_arrays

__all__ = ["ColumnSpool", "joined_arrays", "loaded_columns"]


def joined_arrays(
    columns: Iterable[tuple[str, Sequence[Column]]], layout: Layout
) -> Iterator[tuple[str, NDArray[Any] | ArrayInParts]]:
    """The arrays of columns, each the rows of some parts; made when they are asked for."""
    for name, parts in columns:
        joined = parts[0].arrays() if len(parts) == 1 else layout[name].joined_arrays(parts)
        yield from ((f"{name}/{part}", array) for part, array in joined.items())
        del parts, joined  # before the next column takes memory


def loaded_columns(arrays: Mapping[str, NDArray[Any]], layout: Layout) -> dict[str, Column]:
    """The columns that `joined_arrays` described; `KeyError` where an array is missing."""
    by_column: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in layout}
    for key, array in arrays.items():
        name, _, part = key.rpartition("/")
        by_column[name][part] = array
    return {name: kind.load(by_column[name]) for name, kind in layout.items()}


_ALIGN = 64
"""Bytes to a multiple of which blocks begin, as arrays want it."""


class ColumnSpool:
    """Keeps the columns of batches in a file until all are there: of all rows, memory holds one
    column at a time."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file, self._layout = file, layout
        self._places: defaultdict[str, list[list[slice]]] = defaultdict(list)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Take the columns of the next rows."""
        for name, column in columns.items():
            buffers: list[pickle.PickleBuffer] = []
            pickled = pickle.dumps(column, protocol=5, buffer_callback=buffers.append)
            blocks = (memoryview(pickled), *(buffer.raw() for buffer in buffers))
            self._places[name].append([self._append(block) for block in blocks])

    def _append(self, block: memoryview) -> slice:
        self._file.write(bytes(-self._file.tell() % _ALIGN))
        start = self._file.tell()
        self._file.write(block)
        return slice(start, start + len(block))

    def joined(self, file: IO[bytes]) -> dict[str, Column]:
        """The columns of all rows, in another file that is mapped: memory that the system may take
        back."""
        self._file.flush()
        places = append_arrays(file, joined_arrays(self._parts(), self._layout))
        file.flush()
        return loaded_columns(
            placed_arrays(np.memmap(file, np.uint8, mode="r"), places), self._layout
        )

    def _parts(self) -> Iterator[tuple[str, Sequence[Column]]]:
        for name in self._layout:
            # mapped anew for each column: what was read of the one before leaves the memory
            block = np.memmap(self._file, np.uint8, mode="r")
            yield name, [self._read(block, places) for places in self._places[name]]

    @staticmethod
    def _read(block: NDArray[np.uint8], places: Sequence[slice]) -> Any:
        pickled, *buffers = (block[place].data for place in places)
        return pickle.loads(pickled, buffers=buffers)  # noqa: S301  # `add` wrote it; no name
