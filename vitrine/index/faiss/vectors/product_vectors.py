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

__all__ = ["ProductRows", "ProductVectors", "Vectors", "largest_of_each"]

Vectors: TypeAlias = NDArray[np.float32]
"""Unit rows (n, dimension), often mapped from a file."""


@dataclass(frozen=True, eq=False)
class ProductRows:
    """Some products, and rows of each that count: rows[offsets[i]:offsets[i + 1]], one or more."""

    products: Ints
    offsets: Ints
    rows: Ints

    @cached_property
    def places(self) -> Ints:
        """For each row (rows,) the position of its product in `products`."""
        if len(self.rows) == len(self.products):
            return np.arange(len(self.products))
        return np.repeat(np.arange(len(self.products)), np.diff(self.offsets))

    def where(self, mask: Mask) -> ProductRows:
        """Only the rows of a mask (rows,), and the products that keep one."""
        if len(self.rows) == len(self.products):
            products = self.products[mask]
            return ProductRows(products, np.arange(len(products) + 1), self.rows[mask])
        counts = np.bincount(self.places[mask], minlength=len(self.products))
        remaining = counts > 0
        offsets = np.concatenate(([0], np.cumsum(counts[remaining])))
        return ProductRows(self.products[remaining], offsets, self.rows[mask])


@dataclass(frozen=True, eq=False)
class ProductVectors:
    """Product i has the vectors rows[offsets[i]:offsets[i + 1]], one or more.

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
        """The product of each row, (vectors,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))

    def rows_of(self, products: Ints) -> ProductRows:
        """The rows of some products."""
        if self.single:
            return ProductRows(products, np.arange(len(products) + 1), products)
        return ProductRows(products, *ragged_positions(self.offsets, products))

    def row_mask(self, products: Mask) -> Mask:
        """A mask of products (products,) as one of their rows (vectors,)."""
        return products if self.single else np.repeat(products, np.diff(self.offsets))

    def take(self, products: Ints) -> ProductVectors:
        """The vectors of some products, in their order."""
        selected = self.rows_of(products)
        return ProductVectors(self.rows[selected.rows], selected.offsets)

    @staticmethod
    def concat(parts: Sequence[ProductVectors]) -> ProductVectors:
        """The products of all parts, one part after the other."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        return ProductVectors(rows, np.concatenate(([0], np.cumsum(lengths))))


def largest_of_each(values: NDArray[Any], offsets: Ints) -> NDArray[Any]:
    """The largest value of each product, (products,); each has one or more."""
    if len(values) == len(offsets) - 1:
        return values
    return np.maximum.reduceat(values, offsets[:-1]) if len(values) else values
