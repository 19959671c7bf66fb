"""Vectors as halves (16 bits a number) on a device, all of them scanned there for each query.

The scan is exact for the reason that `quantized` gives: row v and query u are rounded to v' and u',

    |<u, v> - <u', v'>| <= |v - v'| |u'| + |u - u'| |v|    where |u| = |v| = 1,

and both roundings are known. What may be among the best is scored again from the float32 rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Mask
from vitrine.index.faiss.vectors.exact import (
    FLOAT32_ERROR,
    ScoredRows,
    exact_top_k,
    float32_scores,
)
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.index.faiss.vectors.search_device import SearchDevice, load_torch
from vitrine.products import Vector

__all__ = ["DeviceVectors", "ScannedVectors"]

_CHUNK = 65_536
"""Rows brought to the device at a time."""
_WORK_BYTES = 32
"""Memory of the device that a search takes for each row: scores, mask, the order of the best."""
_AGAIN_S = 60.0
"""After memory did not suffice, until that is tried again; so long unused, vectors may go."""
log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class _Halves:
    """Rows (n, d) on the device, the product of each row where some have several, how many products
    there are, and the largest distance of a row from its vector."""

    rows: Any
    owners: Any | None
    products: int
    error: float

    def scores(self, query: Vector) -> tuple[Any, float]:
        """Approximate scores of all products (products,), on the device, and the largest error of
        one."""
        torch = load_torch()
        halves = query.astype(np.float16)
        rounding = float(np.linalg.norm(query - halves.astype(np.float32)))
        slack = self.error * (1 + rounding) + rounding + FLOAT32_ERROR
        cosines = _inner_products(self.rows, torch.from_numpy(halves).to(self.rows.device))
        if self.owners is None:
            return cosines, slack
        scores = torch.full((self.products,), -torch.inf, device=cosines.device)
        return scores.scatter_reduce_(0, self.owners, cosines, "amax"), slack


class DeviceVectors:
    """The vectors of a segment on a device, brought there when they are first searched.

    Where they cannot be there, the log says why in words and `ready` is False.
    """

    def __init__(
        self, device: SearchDevice, vectors: ProductVectors, codes: QuantizedVectors | None
    ) -> None:
        """`codes` are searched where the device fails during a search."""
        self._device = device
        self._vectors = vectors
        self._codes = codes
        self._halves: _Halves | None = None
        self._not_before = 0.0
        self._retired = False
        self._last_used = 0.0
        self._loading = Lock()

    @property
    def nbytes(self) -> int:
        """Memory that they take on the device."""
        count, dimension = self._vectors.rows.shape
        return int(2 * count * dimension + (0 if self._vectors.single else 8 * count))

    def ready(self) -> bool:
        """Whether they are on the device; the first call brings them there, others do not wait."""
        if self._halves is not None:
            return True
        if self._retired or monotonic() < self._not_before:
            return False
        if not self._loading.acquire(blocking=False):
            return False
        try:
            self._load()
        finally:
            self._loading.release()
        return self._halves is not None

    def idle(self) -> bool:
        """Whether nobody has searched them for a while."""
        return monotonic() - self._last_used > _AGAIN_S

    def release(self) -> None:
        """Give their memory back; the next search brings them there again."""
        self._halves = None
        self._device.let_go(self)

    def retire(self) -> None:
        """Give their memory back for good, also while they are on their way: others have taken
        their place."""
        self._retired = True
        self.release()

    def top_k(self, mask: Mask, query: Vector, k: int) -> ScoredRows:
        """As `exact_top_k` of the products of a mask, with the same result."""
        if np.count_nonzero(mask) > k:
            reaching = self._scan(partial(_reaching, mask=mask, query=query, k=k))
            if reaching is not None:
                return exact_top_k(self._vectors, reaching, query, k)
        if self._codes is not None:
            return self._codes.top_k(mask, query, k)
        return exact_top_k(self._vectors, np.flatnonzero(mask), query, k)

    def bounds(
        self, products: Ints, query: Vector
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Approximate scores of the products (n,) and upper bounds (n,).

        A score lies as far below its approximation, at most, as the upper bound lies above that.
        """
        bounds = self._scan(partial(_bounds, products=products, query=query))
        if bounds is not None:
            return bounds
        if self._codes is not None:
            return self._codes.bounds(products, query)
        about = float32_scores(self._vectors, products, query)
        return about, about + np.float32(FLOAT32_ERROR)

    def _scan(self, work: Callable[[_Halves], _Result]) -> _Result | None:
        """What is found on the device; None where it fails, or the vectors have gone meanwhile."""
        halves, self._last_used = self._halves, monotonic()
        try:
            return None if halves is None else work(halves)
        except RuntimeError as error:  # torch's own are
            self._give_up(error)
            return None

    def _load(self) -> None:
        if self._device.obstacle is not None:
            self._not_before = float("inf")
            return
        lacking = self._device.make_room(self.nbytes + _WORK_BYTES * len(self._vectors.rows))
        if lacking is not None:
            self._not_before = monotonic() + _AGAIN_S
            log.warning("searches run on the processor for now: %s", lacking)
            return
        try:
            self._last_used = monotonic()
            self._halves = _halves_on(self._device.name, self._vectors)
            self._device.hold(self)
        except RuntimeError as error:
            self._give_up(error)
        if self._retired:  # after, so that either this or `retire` sees the other
            self.release()

    def _give_up(self, error: RuntimeError) -> None:
        self.release()
        self._not_before = monotonic() + _AGAIN_S
        log.warning("searches run on the processor for now: %s", str(error).partition("\n")[0])


ScannedVectors: TypeAlias = DeviceVectors | QuantizedVectors
"""Vectors in fewer bits that are scanned before the float32 rows."""


def _halves_on(device: str, vectors: ProductVectors) -> _Halves:
    torch, rows = load_torch(), vectors.rows
    halves = torch.empty(rows.shape, dtype=torch.float16, device=device)
    error = 0.0
    for start in range(0, len(rows), _CHUNK):
        # a copy, since torch takes no array that cannot be written
        chunk = torch.from_numpy(np.array(rows[start : start + _CHUNK])).to(device)
        part = halves[start : start + _CHUNK].copy_(chunk)
        error = max(error, (chunk - part.float()).norm(dim=1).max().item())
    owners = None
    if not vectors.single:
        owners = torch.from_numpy(vectors.owners.astype(np.int64)).to(device)
    return _Halves(halves, owners, len(vectors), error)


def _reaching(halves: _Halves, mask: Mask, query: Vector, k: int) -> Ints:
    """The products of the mask whose scores may be among the k best, of more than k."""
    torch = load_torch()
    scores, slack = halves.scores(query)
    if not mask.all():
        scores.masked_fill_(~_expanded(mask, scores.device), -torch.inf)
    least = torch.topk(scores, k, sorted=False).values.min() - 2 * slack
    products: Ints = torch.nonzero(scores >= least)[:, 0].cpu().numpy()
    return products


def _bounds(
    halves: _Halves, products: Ints, query: Vector
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scores, slack = halves.scores(query)
    about: NDArray[np.float32] = scores.cpu().numpy()[products]
    return about, about + np.float32(slack)


def _inner_products(rows: Any, query: Any) -> Any:
    """Inner products (n,) in float32, since halves would round them once more."""
    if rows.is_cuda:
        return load_torch().mm(rows, query[:, None], out_dtype=load_torch().float32)[:, 0]
    return rows.float() @ query.float()  # only CUDA has the product above


def _expanded(mask: Mask, device: Any) -> Any:
    """The mask on the device, sent as bits."""
    torch = load_torch()
    packed = torch.from_numpy(np.packbits(mask, bitorder="little")).to(device)
    places = torch.arange(8, dtype=torch.uint8, device=device)
    return ((packed[:, None] >> places) & 1).flatten()[: len(mask)].bool()
