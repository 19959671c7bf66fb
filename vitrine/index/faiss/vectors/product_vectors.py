"""The vectors of products: of their pictures, one or more each, or of their words, one each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrine.index.faiss.columns.ragged import Ints, ragged_positions
from vitrine.index.faiss.columns.types import Mask

__all__ = ["ProductVectors", "Vectors", "largest_of_each"]

Vectors: TypeAlias = NDArray[np.float32]
"""Unit rows (n, dimension), often mapped from a file."""


@dataclass(frozen=True, eq=False)
class ProductVectors:
    """Those of product i are rows[offsets[i]:offsets[i + 1]], one or more.

    `rows` has shape (vectors, dimension), `offsets` (products + 1,).
    """

    rows: Vectors
    offsets: Ints

    @classmethod
    def of(cls, products: Sequence[Vectors]) -> ProductVectors:
        """The vectors of some products, a matrix each."""
        lengths = [len(rows) for rows in products]
        return cls(np.concatenate(products), np.concatenate(([0], np.cumsum(lengths))))

    @classmethod
    def one_each(cls, rows: Vectors) -> ProductVectors:
        """A vector for each product."""
        return cls(rows, np.arange(len(rows) + 1))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def single(self) -> bool:
        """Whether every product has one vector, so that rows and products are the same."""
        return len(self.rows) == len(self)

    @property
    def per_product(self) -> float:
        """How many vectors a product has on average."""
        return len(self.rows) / len(self) if len(self) else 1.0

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """The product of each row."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))

    def positions(self, products: Ints) -> tuple[Ints, Ints]:
        """Offsets and numbers of the rows of some products, in their order."""
        if self.single:
            return np.arange(len(products) + 1), products
        return ragged_positions(self.offsets, products)

    def row_mask(self, products: Mask) -> Mask:
        """The rows of the products of a mask."""
        return products if self.single else products[self.owners]

    def take(self, products: Ints) -> ProductVectors:
        """The vectors of some products, in their order."""
        offsets, rows = self.positions(products)
        return ProductVectors(self.rows[rows], offsets)

    @staticmethod
    def concat(parts: Sequence[ProductVectors]) -> ProductVectors:
        """All products of all parts."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        return ProductVectors(rows, np.concatenate(([0], np.cumsum(lengths))))


def largest_of_each(values: NDArray[Any], offsets: Ints) -> NDArray[Any]:
    """The largest of the values of each product (products,), one or more of each."""
    if len(values) == len(offsets) - 1:
        return values
    return np.maximum.reduceat(values, offsets[:-1]) if len(values) else values
