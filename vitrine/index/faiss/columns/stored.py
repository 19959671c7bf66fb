"""Columns as arrays of a file, and columns of many batches joined through one."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.layout import Layout
from vitrine.index.faiss.columns.types import Column
from vitrine.storage.array_file import append_arrays, placed_arrays

__all__ = ["ColumnSpool", "loaded_columns", "named_arrays"]


def named_arrays(columns: Iterable[tuple[str, Column]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of columns, each when it is asked for."""
    for name, column in columns:
        yield from ((f"{name}/{part}", array) for part, array in column.arrays().items())


def loaded_columns(arrays: Mapping[str, NDArray[Any]], layout: Layout) -> dict[str, Column]:
    """The columns that `named_arrays` described; `KeyError` where an array is missing."""
    by_column: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in layout}
    for key, array in arrays.items():
        name, _, part = key.rpartition("/")
        by_column[name][part] = array
    return {name: kind.load(by_column[name]) for name, kind in layout.items()}


class ColumnSpool:
    """Keeps the columns of batches in a file until all are there: of all rows, memory holds one
    column at a time."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file, self._layout = file, layout
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Take the columns of the next rows."""
        for name, column in columns.items():
            self._places[name].append(self._file.tell())
            pickle.dump(column, self._file, protocol=5)

    def joined(self, file: IO[bytes]) -> dict[str, Column]:
        """The columns of all rows, in another file that is mapped: memory that the system may take
        back."""
        places = append_arrays(file, named_arrays(self._joined()))
        file.flush()
        return loaded_columns(
            placed_arrays(np.memmap(file, np.uint8, mode="r"), places), self._layout
        )

    def _joined(self) -> Iterator[tuple[str, Column]]:
        for name, kind in self._layout.items():
            parts = [self._read(place) for place in self._places[name]]
            yield name, kind.concat(parts)

    def _read(self, place: int) -> Any:
        self._file.seek(place)
        return pickle.load(self._file)  # noqa: S301  # what `add` wrote; the file has no name
