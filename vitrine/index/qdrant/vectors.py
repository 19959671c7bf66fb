"""The vectors that the points of a version hold, and what depends on the version's format.

A point holds the rows of all its product's pictures under one name, as a multivector that Qdrant
compares by its largest cosine (max-sim), and under another the vector of the product's words, where
the version keeps one. Versions that were made before several pictures were kept hold the row of one
picture, as a plain vector, and order titles by their casefolded form; these are read and written as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from vitrine.folding import fold
from vitrine.index.ports import VersionInfo
from vitrine.index.qdrant.point import TEXT_VECTOR, VECTOR, Rows
from vitrine.products import Record, Vector

__all__ = ["VectorLayout"]


@dataclass(frozen=True, slots=True)
class VectorLayout:
    """What the points of a version hold: the vectors of several pictures or of one, a vector of the
    text, and the folded forms of values by which equal spellings are found and counted."""

    several_pictures: bool
    texts: bool
    folded: bool = True

    @classmethod
    def of(cls, info: VersionInfo) -> VectorLayout:
        """The layout of a version that exists."""
        return cls(info.max_images > 1, info.text_vectors, info.words)

    @property
    def title_form(self) -> Callable[[str], str]:
        """What titles become before they are ordered."""
        return fold if self.several_pictures else str.casefold

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the vectors from which a record is read."""
        return (VECTOR, TEXT_VECTOR) if self.texts else (VECTOR,)

    def vectors_of(self, record: Record) -> dict[str, Rows]:
        """The vectors of the point of a record, by name."""
        vectors = {VECTOR: record.vectors if self.several_pictures else record.vector}
        return (
            vectors if record.text_vector is None else vectors | {TEXT_VECTOR: record.text_vector}
        )

    def query_rows(self, vector: Vector, using: str) -> Rows:
        """A query vector as Qdrant takes it for the vectors of that name."""
        return vector[None] if using == VECTOR and self.several_pictures else vector

    def params(self, dimension: int, **shared: Any) -> dict[str, models.VectorParams]:
        """How a new collection holds them."""
        several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        return {
            name: models.VectorParams(
                size=dimension,
                distance=models.Distance.COSINE,
                multivector_config=several if name == VECTOR and self.several_pictures else None,
                **shared,
            )
            for name in self.names
        }
