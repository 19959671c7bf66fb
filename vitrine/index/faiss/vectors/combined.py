"""The best products by a weighted sum of cosines, of their pictures and of their words.

Every plan of the pictures alone orders by one cosine, so none of them gives the best by a sum. What
is known of each cosine before it is computed exactly is a range; the ranges of a sum are the sums
of the ranges. A product whose highest sum is below the k-th of all lowest sums cannot be among the
best k. That leaves few twice: by the ranges of 8-bit rows, then by those of float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.vectors.device_vectors import ScannedVectors
from vitrine.index.faiss.vectors.exact import FLOAT32_ERROR, float32_scores, kth_largest
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.products import Vector

__all__ = ["Bounds", "Floats", "WeightedVectors", "cosine_bounds", "float32_bounds", "within_reach"]

_ROUNDING = 1e-6
"""By which the order of rounded sums may differ from that of the sums."""

Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lower and upper bounds of values, (n,) each; of cosines from 8-bit rows they are float32."""

    low: Floats
    high: Floats

    def take(self, places: Ints) -> Bounds:
        """The bounds at these positions."""
        return Bounds(self.low[places], self.high[places])


@dataclass(frozen=True, eq=False)
class WeightedVectors:
    """One part of the sum; the weight is not negative."""

    vectors: ProductVectors
    quantized: ScannedVectors | None
    weight: float


def cosine_bounds(
    vectors: ProductVectors, quantized: ScannedVectors | None, products: Ints, query: Vector
) -> Bounds:
    """Bounds of the products' largest cosines, from 8-bit rows where there are some."""
    if quantized is None:
        return float32_bounds(vectors, products, query)
    about, most = quantized.bounds(products, query)
    return Bounds(2 * about - most, most)


def float32_bounds(vectors: ProductVectors, products: Ints, query: Vector) -> Bounds:
    """Bounds of the products' largest cosines from float32 rows: closer than those of 8 bits."""
    scores = float32_scores(vectors, products, query).astype(np.float64)
    return Bounds(scores - FLOAT32_ERROR, scores + FLOAT32_ERROR)


def within_reach(parts: Sequence[WeightedVectors], products: Ints, query: Vector, k: int) -> Ints:
    """The products that may be among the k best by the sum, few more than those."""
    for quantized in (True, False):
        if len(products) <= k:
            break
        low, high = np.zeros(len(products)), np.zeros(len(products))
        for part in parts:
            codes = part.quantized if quantized else None
            bounds = cosine_bounds(part.vectors, codes, products, query)
            low += part.weight * bounds.low.astype(np.float64)
            high += part.weight * bounds.high.astype(np.float64)
        products = products[high >= kth_largest(low, k) - _ROUNDING]
    return products
