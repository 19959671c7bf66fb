"""One pass over all 8-bit rows for every query that waits for one.

A product of two rows costs less than bringing them to the processor, and a kernel that multiplies
several queries at once costs a query in eight a third of what it costs alone. The thread that scans
also makes the results of the others: that needs no change of threads between them, and its code
stays in the processor's cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import numkong
import numpy as np
from numpy.typing import NDArray

from vitrine.cohort import Cohort, arrive
from vitrine.index.faiss.vectors.parallel import parallel_parts

__all__ = ["SharedScans", "code_dots"]

_ROWS = 25_000
"""That one thread scans at a time."""
_TOGETHER = 16
"""Queries of one pass: what they get takes four bytes for each row and query."""
_PATIENCE_S = 0.01
"""Seconds that a scan waits, at most, for queries that are on their way to it."""


_Dots: TypeAlias = NDArray[np.float32]
"""Inner products of a query with all rows (n,)."""
_Result = TypeVar("_Result")


@dataclass(eq=False)
class _Waiting:
    """A query (1, d), what is done with its inner products, and the result once that is done."""

    query: NDArray[np.uint8]
    use: Callable[[_Dots], Any]
    done: bool = False
    result: Any = None

    def take(self, dots: _Dots) -> None:
        """Make the result."""
        self.result = self.use(dots)
        self.done = True


class SharedScans:
    """Inner products of queries with all rows of codes (n, d); safe to call from several threads.

    A query that finds no scan running starts one, those that come meanwhile share the next. Queries
    whose texts were embedded together come one after the other, each when Python's lock lets it: a
    scan for one of them begins when all are there.
    """

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._codes = codes
        self._waiting: deque[_Waiting] = deque()
        self._scanning = Lock()

    def scan(self, query: NDArray[np.uint8], use: Callable[[_Dots], _Result]) -> _Result:
        """What `use` makes of the inner products of one row of codes (1, d) with all rows.

        The inner products are its own, and it may run in another query's thread.
        """
        own = _Waiting(query, use)
        self._waiting.append(own)
        cohort = arrive()
        with self._scanning:
            if not own.done:  # nobody has scanned for it
                self._scan(own, cohort)
        result: _Result = own.result
        return result

    def _scan(self, own: _Waiting, cohort: Cohort | None) -> None:
        """Scan for one that waits and for others; only one thread is here."""
        if cohort is not None:
            cohort.wait(_PATIENCE_S)
        together = [own]
        while self._waiting and len(together) < _TOGETHER:
            other = self._waiting.popleft()
            if other is not own and not other.done:
                together.append(other)
        dots = self._products(np.concatenate([waiting.query for waiting in together]))
        for other, row in zip(together[1:], dots[1:], strict=True):
            with suppress(Exception):  # it will scan for itself, and meet the error there
                other.take(row)
        own.take(dots[0])

    def _products(self, queries: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Inner products (queries, n) of rows of codes with all rows."""
        dots = np.empty((len(queries), len(self._codes)), np.float32)
        packed = numkong.dots_pack(queries) if len(queries) > 1 else None

        def scan(start: int) -> None:
            rows, own = self._codes[start : start + _ROWS], dots[:, start : start + _ROWS]
            if packed is None:
                own[0] = code_dots(queries, rows)
            else:
                own[:] = np.asarray(numkong.dots_packed(rows, packed)).T

        parallel_parts(scan, range(0, len(self._codes), _ROWS))
        return dots


def code_dots(query: NDArray[np.uint8], codes: NDArray[np.uint8]) -> _Dots:
    """Inner products (n,) of one row of codes (1, d) with others (n, d)."""
    products = numkong.cdist(query, codes, "dot", out_dtype="float32")
    dots: _Dots = np.asarray(products)[0]
    return dots
