"""Exact search on a card as Vitrine does it, beside torch alone, which has the mask on the card
already and gives the best by half-precision scores, unsettled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.report import Figure, Report, median
from vitrine.index.faiss.vectors.device_vectors import DeviceVectors
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.search_device import SearchDevice, load_torch

__all__ = ["measure"]

_DIMENSION = 512
_BEST = (100, 1000)
"""The second is how many candidates a page has by default."""
_SHARE = 0.1
"""Of the products under the mask."""
_TOGETHER = 16
"""Queries that torch alone answers at once; Vitrine answers each by itself."""
_REPEATS = 10
_CHUNK = 100_000
_TARGET_MS = 3.0
_JUDGED = 1_000_000
"""Vectors, on a card, for which the target holds."""


def measure(report: Report, device: str, sizes: Sequence[int]) -> None:
    """Milliseconds of the best of so many random unit rows under a mask.

    A size for which there is no room is left out, in words.
    """
    search_device = SearchDevice(device)
    if search_device.obstacle is not None:
        raise SystemExit(search_device.obstacle)
    for count in sizes:
        lacking = _lacking(search_device, count)
        if lacking is None:
            _measure(report, search_device, count)
        else:
            print(f"exact search of {count:,} vectors is left out: {lacking}")


def _lacking(device: SearchDevice, count: int) -> str | None:
    """Why so many rows cannot be measured; None where they can."""
    rows = 4 * _DIMENSION * count
    free, needed = psutil.virtual_memory().available, int(1.5 * rows)
    if free < needed:
        return f"{free / 1e9:.1f} GB of memory are free, {needed / 1e9:.1f} GB are needed"
    scores = 4 * _TOGETHER * count
    return device.make_room(rows + 3 * scores)  # all rows as halves twice


def _measure(report: Report, device: SearchDevice, count: int) -> None:
    rows, halves = _unit_rows(device.name, count)
    ours = DeviceVectors(device, ProductVectors.one_each(rows), None)
    if not ours.ready():
        raise SystemExit(f"{count:,} vectors cannot be brought to {device.name}; see the log")
    rng = np.random.default_rng(count)
    mask = rng.random(count) < _SHARE
    queries = rng.standard_normal((_TOGETHER, _DIMENSION)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    alone = _TorchAlone(halves, mask, queries)
    judged = device.name != "cpu" and count == _JUDGED
    size = f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1000}k"
    case = f"{size} x {_DIMENSION} on {device.name}"

    def add(name: str, value: float, unit: str = "ms") -> None:
        report.add(Figure(name, value, unit, case=case))

    for k in _BEST:
        exact = ours.top_k(mask, queries[0], k).rows
        taken = _milliseconds(partial(ours.top_k, mask, queries[0], k))
        name, target = f"exact best {k:,} under a mask of 10 %", f"<= {_TARGET_MS:g}"
        if judged:
            report.add(Figure(name, taken, "ms", target, taken <= _TARGET_MS, case=case))
        else:
            add(name, taken)
        add(f"best {k:,} by torch alone", _milliseconds(partial(alone, 1, k)))
        together = _milliseconds(partial(alone, _TOGETHER, k))
        add(f"best {k:,} by torch alone, {_TOGETHER} queries at once", together)
        share = float(np.isin(alone(1, k)[0], exact).mean())
        add(f"best {k:,} by torch alone, recall", share, "")
    if not ours.ready():
        raise SystemExit(f"{device.name} failed during a search; see the log")


class _TorchAlone:
    """Product, mask and best, with nothing around them."""

    def __init__(self, halves: Any, mask: NDArray[np.bool_], queries: NDArray[np.float32]) -> None:
        torch = load_torch()
        self._halves = halves
        self._left_out = torch.from_numpy(~mask).to(halves.device)
        self._queries = torch.from_numpy(queries.astype(np.float16)).to(halves.device)

    def __call__(self, count: int, k: int) -> NDArray[np.int64]:
        """Rows of the best for the first queries, (count, k)."""
        torch = load_torch()
        scores = self._queries[:count] @ self._halves.T
        scores.masked_fill_(self._left_out, -torch.inf)
        best: NDArray[np.int64] = torch.topk(scores, k).indices.cpu().numpy()
        return best


def _unit_rows(device: str, count: int) -> tuple[NDArray[np.float32], Any]:
    """Random unit rows (count, dimension), and the same as halves on the device.

    They are made there, since a card draws ten million sooner than a processor.
    """
    torch = load_torch()
    random = torch.Generator(device).manual_seed(3)
    rows = np.empty((count, _DIMENSION), np.float32)
    halves = torch.empty((count, _DIMENSION), dtype=torch.float16, device=device)
    for start in range(0, count, _CHUNK):
        shape = (min(_CHUNK, count - start), _DIMENSION)
        chunk = torch.randn(shape, device=device, generator=random)
        chunk /= chunk.norm(dim=1, keepdim=True)
        rows[start : start + _CHUNK] = chunk.cpu().numpy()
        halves[start : start + _CHUNK] = chunk
    return rows, halves


def _milliseconds(way: Callable[[], object]) -> float:
    """The middle of some calls after one that is not counted."""
    seconds = []
    for _ in range(_REPEATS + 1):
        began = perf_counter()
        way()
        seconds.append(perf_counter() - began)
    return median(seconds[1:]) * 1e3
