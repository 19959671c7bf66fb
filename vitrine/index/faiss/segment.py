"""A segment: an unchanging stretch of writes with their columns and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vitrine.index.faiss.columns.layout import ID, WORDS, Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Column, Keywords, Numbers, OrderedTexts
from vitrine.index.faiss.columns.words import WordPostings
from vitrine.index.faiss.lru_cache import SizedLRUCache
from vitrine.index.faiss.records.changes import Change
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.pictures import PictureVectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors

__all__ = ["Columns", "Segment", "merge_columns"]

Columns: TypeAlias = Mapping[str, Column]

CACHE_BYTES = 64_000_000
"""Memory of one segment for the masks of recent filters and its sort orders."""


class Segment:
    """Products in the order of their writes, a row each: numbers, pictures, and the columns.

    `seqs` (n,) is ascending, `pictures` has the vectors of n products. `folder` is the snapshot's
    that it is mapped from; such a segment may hold rows that a later row of the same id replaces.
    Where it has 8-bit rows (`quantized`) or a `graph`, they are of all its pictures.
    """

    def __init__(
        self,
        seqs: Ints,
        pictures: PictureVectors,
        columns: Columns,
        *,
        folder: Path | None = None,
        quantized: QuantizedVectors | None = None,
        graph: Graph | None = None,
    ) -> None:
        self.seqs = seqs
        self.pictures = pictures
        self.columns = columns
        self.folder = folder
        self.quantized = quantized
        self.graph = graph
        self.cache = SizedLRUCache(CACHE_BYTES)

    @classmethod
    def of(cls, changes: Sequence[Change], layout: Layout) -> Segment:
        """The segment of the products among the changes."""
        written = [
            (c.seq, c.product, c.vectors)
            for c in changes
            if c.product is not None and c.vectors is not None
        ]
        seqs, products, vectors = zip(*written, strict=True)
        columns = {name: kind.build(products) for name, kind in layout.items()}
        return cls(np.asarray(seqs, np.int64), PictureVectors.of(vectors), columns)

    @staticmethod
    def merged(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        """One segment of the given rows of several; the parts follow each other in write order."""
        seqs = np.concatenate([segment.seqs[rows] for segment, rows in parts])
        pictures = PictureVectors.concat([segment.pictures.take(rows) for segment, rows in parts])
        columns = merge_columns([(segment.columns, rows) for segment, rows in parts], layout)
        return Segment(seqs, pictures, columns)

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def ids(self) -> OrderedTexts:
        """The product ids."""
        return self.ordered(ID)

    def ordered(self, name: str) -> OrderedTexts:
        """A column of texts in order."""
        column = self.columns[name]
        assert isinstance(column, OrderedTexts)  # noqa: S101  # the layout made it so
        return column

    def keywords(self, name: str) -> Keywords:
        """A column of words."""
        column = self.columns[name]
        assert isinstance(column, Keywords)  # noqa: S101  # the layout made it so
        return column

    def numbers(self, name: str) -> Numbers:
        """A column of numbers, times or truths."""
        column = self.columns[name]
        assert isinstance(column, Numbers)  # noqa: S101  # the layout made it so
        return column

    @property
    def words(self) -> WordPostings:
        """The words of the products."""
        column = self.columns[WORDS]
        assert isinstance(column, WordPostings)  # noqa: S101  # the layout made it so
        return column

    def id(self, row: int) -> str:
        """The product id of a row."""
        return self.ids.texts[row]

    def find(self, product_id: str) -> int | None:
        """The last row of a product id."""
        return self.ids.texts.find(product_id, order=self.ids.order)


def merge_columns(parts: Sequence[tuple[Columns, Ints]], layout: Layout) -> Columns:
    """The columns of the given rows, one part after the other."""
    return {
        name: kind.concat([columns[name].take(rows) for columns, rows in parts])
        for name, kind in layout.items()
    }
