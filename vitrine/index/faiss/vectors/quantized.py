"""Vectors in 8 bits a number, scanned straight from a mapped file: a quarter of the memory traffic, and no wrong answer.

What rounding to 8 bits can do to a score is known for every row, so the scan keeps every row that could be among the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.vectors.exact import (
    FLOAT32_ERROR,
    Scored,
    Vectors,
    best_of,
    cut,
    exact_scores,
    inner_products,
    kth,
)
from vitrine.index.faiss.vectors.parallel import by_every_core
from vitrine.products import Vector
from vitrine.storage.array_file import map_array, map_arrays

__all__ = ["Codes", "Encoded", "encoded"]

_LARGEST = 127
_CONTIGUOUS = 0.3
"""Share of the rows from which on it is quicker to scan all than to gather those."""
_PART, _GATHERED_PART = 25_000, 8192
"""Rows that one thread scans at a time: of all rows, and of rows it has to gather."""
_GATHERED = 4096
"""Rows gathered at a time: they stay in the processor's cache until they are read again."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows (n, d) as centre + scale * code; each array but the codes is (n,) float32."""

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    lengths: NDArray[np.float32]
    """Of scale * code."""
    errors: NDArray[np.float32]
    """How far the coded row is from its vector."""


def encoded(vectors: Vectors, centre: Vector) -> Encoded:
    """Codes of rows (n, d), each with the scale that just fits it."""
    apart = vectors - centre
    scales = np.maximum(np.abs(apart).max(axis=1, initial=0.0), np.float32(1e-20)) / np.float32(
        _LARGEST
    )
    codes = np.rint(apart / scales[:, None]).astype(np.int8)
    again = codes * scales[:, None]
    return Encoded(
        codes, scales, np.linalg.norm(again, axis=1), np.linalg.norm(apart - again, axis=1)
    )


class Codes:
    """The 8-bit rows of the files that `coding.write_codes` made."""

    def __init__(self, rows: Path, about: Path) -> None:
        """`OSError`, `ValueError` or `KeyError` when the files cannot be read."""
        kept = map_arrays(about)
        self._centre = kept["centre"]
        self._scales, self._errors, self._longest = kept["scales"], kept["errors"], kept["longest"]
        self._codes: NDArray[np.int8] = map_array(
            rows, np.int8, (len(self._scales), len(self._centre))
        )

    def best_of(self, vectors: Vectors, rows: Ints, query: Vector, k: int) -> Scored:
        """As `nearest.best_of`, with the same result."""
        if len(rows) <= k:
            return best_of(vectors, rows, query, k)
        about, most = self._scores(rows, query)
        first = np.flatnonzero(about >= kth(about, k))
        found = exact_scores(vectors, rows[first], query)
        most[first] = -np.inf  # those are known now
        least = found.min().item() - FLOAT32_ERROR  # the k-th best of all scores at least that
        rest = rows[most >= least]
        rest = rest[inner_products(vectors, rest, query) >= least]
        scores = np.concatenate([found, exact_scores(vectors, rest, query)])
        return cut(Scored(np.concatenate([rows[first], rest]), scores), k)

    def _scores(self, rows: Ints, query: Vector) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each row about its inner product with the query, and the most that can be (Cauchy-Schwarz, twice)."""
        asked, total = encoded(query[None], np.zeros_like(query)), len(self._codes)
        own: Ints | slice = rows if len(rows) < total else slice(None)
        if len(rows) > _CONTIGUOUS * total:
            parts = [self._codes[start : start + _PART] for start in range(0, total, _PART)]
            dots = by_every_core(partial(_dots, asked.codes), parts)[own]
        else:
            dots = by_every_core(
                partial(_dots_of, asked.codes, self._codes),
                np.array_split(rows, -(-len(rows) // _GATHERED_PART)),
            )
        about = dots * (self._scales[own] * asked.scales) + query @ self._centre
        return about, about + (
            self._errors[own] + (asked.errors * self._longest + np.float32(FLOAT32_ERROR))
        )


def _dots(asked: NDArray[np.int8], codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Inner products (n,) of one row of codes (1, d) with others (n, d)."""
    found: NDArray[np.float32] = np.asarray(
        numkong.cdist(asked, codes, "dot", out_dtype="float32")
    )[0]
    return found


def _dots_of(asked: NDArray[np.int8], codes: NDArray[np.int8], rows: Ints) -> NDArray[np.float32]:
    """The same of some rows."""
    found, room = (
        np.empty(len(rows), np.float32),
        np.empty((min(_GATHERED, len(rows)), codes.shape[1]), np.int8),
    )
    for start in range(0, len(rows), _GATHERED):
        part = rows[start : start + _GATHERED]
        gathered = np.take(
            codes, part, axis=0, out=room[: len(part)], mode="clip"
        )  # "raise" would copy once more
        found[start : start + _GATHERED] = _dots(asked, gathered)
    return found
