"""Writing the rows of 8 bits and of one bit a number that are scanned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.vectors.one_bit import one_bit_rows, random_rotation
from vitrine.index.faiss.vectors.product_vectors import Vectors
from vitrine.index.faiss.vectors.quantized import fitting_scale, quantize
from vitrine.products import Vector
from vitrine.storage.array_file import forget_pages, write_arrays

__all__ = [
    "CODES",
    "ONE_BIT",
    "TEXT_CODES",
    "BuildOptions",
    "write_one_bit",
    "write_quantized",
]

CODES = ("codes.u8", "codes.bin")
"""The files of the pictures' 8-bit rows: the codes, and what else is known of each row."""
ONE_BIT = ("signs.u1", "signs.bin")
"""The same of the pictures' one-bit rows."""
TEXT_CODES = ("texts.u8", "texts.bin")
"""The same of the text vectors' 8-bit rows."""
_CHUNK = 4096
_SAMPLE = 65_536
"""Rows by which the scale is learned."""


@dataclass(frozen=True)
class BuildOptions:
    """From how many rows on 8-bit rows are made, and from how many one-bit rows beside them."""

    quantize_from: int
    one_bit_from: int

    def makes_quantized(self, rows: int) -> bool:
        """Whether so many rows get 8-bit rows; those of one bit need them."""
        return rows >= min(self.quantize_from, self.one_bit_from)

    def makes_one_bit(self, rows: int) -> bool:
        """Whether so many rows get one-bit rows."""
        return rows >= self.one_bit_from


def write_quantized(folder: Path, files: tuple[str, str], vectors: Vectors) -> None:
    """Write the 8-bit rows of all vectors."""
    center = _center(vectors)
    scale = fitting_scale(vectors[:: -(-len(vectors) // _SAMPLE)], center)
    forget_pages(vectors)
    sums, errors, longest = [], [], np.float32(0)
    with (folder / files[0]).open("wb") as file:
        for some in _blocks(vectors):
            rows = quantize(some, center, scale)
            file.write(rows.codes.data)
            sums.append(rows.sums)
            errors.append(rows.errors)
            longest = max(longest, rows.lengths.max())
    arrays = {
        "center": center,
        "scale": np.asarray(scale),
        "sums": np.concatenate(sums),
        "errors": np.concatenate(errors),
        "longest": np.asarray(longest),
    }
    write_arrays(folder / files[1], arrays.items())


def write_one_bit(folder: Path, vectors: Vectors) -> None:
    """Write the one-bit rows of all vectors."""
    center, rotation = _center(vectors), random_rotation(vectors.shape[1])
    scales, shifts = [], []
    with (folder / ONE_BIT[0]).open("wb") as file:
        for some in _blocks(vectors):
            rows = one_bit_rows(some, center, rotation)
            file.write(rows.codes.data)
            scales.append(rows.scales)
            shifts.append(rows.shifts)
    arrays = {
        "center": center,
        "rotation": rotation,
        "scales": np.concatenate(scales),
        "shifts": np.concatenate(shifts),
    }
    write_arrays(folder / ONE_BIT[1], arrays.items())


def _center(vectors: Vectors) -> Vector:
    totals = [some.sum(axis=0, dtype=np.float64) for some in _blocks(vectors)]
    center: Vector = (np.sum(totals, axis=0) / len(vectors)).astype(np.float32)
    return center


def _blocks(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Rows, some at a time; what was mapped for them leaves the memory again."""
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        yield some
        forget_pages(some)
