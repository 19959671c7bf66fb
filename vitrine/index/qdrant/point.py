"""A point of Qdrant, as it is read and as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models

from vitrine.products import Vector

__all__ = ["TEXT_VECTOR", "VECTOR", "WORDS", "NewPoint", "Point", "Rows", "SparseRow"]

VECTOR = "image"
TEXT_VECTOR = "text"
WORDS = "words"
"""The vectors of a point: of the product's pictures, of its text, and the values of its words."""
Rows: TypeAlias = NDArray[np.float32]
"""A vector (dimension,) or several of one point, (rows, dimension)."""


@dataclass(frozen=True, slots=True, eq=False)
class SparseRow:
    """A sparse vector: `indices` are uint32 (terms,), each once, `values` float32 (terms,)."""

    indices: NDArray[np.uint32]
    values: NDArray[np.float32]

    def model(self) -> models.SparseVector:
        """The same as the client's model, for HTTP and local mode."""
        return models.SparseVector(indices=self.indices.tolist(), values=self.values.tolist())


@dataclass(frozen=True, slots=True)
class Point:
    """A point as it was read; `vectors` are those that were asked for, by their names."""

    id: str
    payload: Mapping[str, Any]
    score: float = 0.0
    vectors: Mapping[str, Rows | SparseRow] = field(default_factory=dict)

    @property
    def pictures(self) -> Rows:
        """The rows of the pictures (pictures, dimension); they must have been asked for."""
        rows = self.vectors.get(VECTOR)
        if rows is None or isinstance(rows, SparseRow):
            raise TypeError("a point was read without the vectors of its pictures")
        return np.atleast_2d(rows)

    @property
    def text(self) -> Vector | None:
        """The vector of the text; None also where the version keeps none."""
        row = self.vectors.get(TEXT_VECTOR)
        return None if isinstance(row, SparseRow) else row

    @property
    def words(self) -> SparseRow | None:
        """The values of the words; None also where the version keeps none."""
        row = self.vectors.get(WORDS)
        return row if isinstance(row, SparseRow) else None


@dataclass(frozen=True, slots=True)
class NewPoint:
    """A point to be written."""

    id: str
    payload: dict[str, Any]
    vectors: Mapping[str, Rows | SparseRow]

    def model(self) -> models.PointStruct:
        """The same as the client's model, for HTTP and local mode."""
        rows: dict[str, Any] = {
            name: row.model() if isinstance(row, SparseRow) else row.tolist()
            for name, row in self.vectors.items()
        }
        return models.PointStruct(id=self.id, vector=rows, payload=self.payload)
