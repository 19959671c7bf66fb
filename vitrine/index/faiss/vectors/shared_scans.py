"""One pass over all 8-bit rows for every query that waits for one.

A product of two rows costs less than bringing them to the processor, and a kernel that multiplies
several queries at once costs a query in eight a third of what it costs alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from threading import Lock

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.vectors.parallel import parallel_map

__all__ = ["SharedScans", "code_dots"]

_ROWS = 25_000
"""That one thread scans at a time."""
_TOGETHER = 16
"""Queries of one pass: what they get takes four bytes for each row and query."""


@dataclass(eq=False)
class _Waiting:
    """A query (1, d), and once it is scanned its inner products with all rows (n,)."""

    query: NDArray[np.uint8]
    dots: NDArray[np.float32] | None = None


class SharedScans:
    """Inner products of queries with all rows of codes (n, d); safe to call from several threads.

    Nobody waits for company: a query that finds no scan running starts one, those that come
    meanwhile share the next.
    """

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._codes = codes
        self._waiting: deque[_Waiting] = deque()
        self._scanning = Lock()

    def dots(self, query: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The inner products (n,) of one row of codes (1, d) with all rows."""
        own = _Waiting(query)
        self._waiting.append(own)
        with self._scanning:
            if own.dots is None:  # nobody has scanned for it
                self._scan(own)
        assert own.dots is not None  # noqa: S101  # scanned by this thread or another
        return own.dots

    def _scan(self, own: _Waiting) -> None:
        """Scan for one that waits and for others; only one thread is here."""
        together = [own]
        while self._waiting and len(together) < _TOGETHER:
            other = self._waiting.popleft()
            if other is not own and other.dots is None:
                together.append(other)
        queries = np.concatenate([waiting.query for waiting in together])
        starts = range(0, len(self._codes), _ROWS)
        scans = [self._codes[start : start + _ROWS] for start in starts]
        if len(together) == 1:
            own.dots = parallel_map(partial(code_dots, queries), scans)
            return
        packed = numkong.dots_pack(queries)
        for waiting, dots in zip(
            together, parallel_map(partial(_packed_dots, packed), scans, axis=1), strict=True
        ):
            waiting.dots = dots


def code_dots(query: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Inner products (n,) of one row of codes (1, d) with others (n, d)."""
    products = numkong.cdist(query, codes, "dot", out_dtype="float32")
    dots: NDArray[np.float32] = np.asarray(products)[0]
    return dots


def _packed_dots(queries: numkong.PackedMatrix, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Inner products (queries, n) of several rows of codes with others (n, d)."""
    return np.ascontiguousarray(np.asarray(numkong.dots_packed(codes, queries)).T, np.float32)
