"""A segment: an unchanging stretch of writes with their columns and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vitrine.index.faiss.columns.layout import ID, Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Column, Keywords, Numbers, OrderedTexts
from vitrine.index.faiss.lru_cache import Recent
from vitrine.index.faiss.records.store import Change
from vitrine.index.faiss.vectors.exact import Vectors
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.quantized import Codes

__all__ = ["Columns", "Segment", "merge_columns"]

Columns: TypeAlias = Mapping[str, Column]

MASK_BYTES = 64_000_000
"""Memory of one segment for the results of recent filters and sort orders."""


class Segment:
    """Rows in the order of their writes: `seqs` (n,) ascending, `vectors` (n, dimension) float32, and the columns of the layout.

    `home` is the folder of the snapshot it is mapped from; such a segment may hold rows that a later row of the same id replaces.
    """

    codes: Codes | None = None
    graph: Graph | None = None

    def __init__(
        self, seqs: Ints, vectors: Vectors, columns: Columns, *, home: Path | None = None
    ) -> None:
        self.seqs = seqs
        self.vectors = vectors
        self.columns = columns
        self.home = home
        self.recent = Recent(MASK_BYTES)

    @classmethod
    def of(cls, changes: Sequence[Change], layout: Layout) -> Segment:
        """The segment of the products among the changes."""
        kept = [
            (c.seq, c.product, c.vector)
            for c in changes
            if c.product is not None and c.vector is not None
        ]
        products = [product for _, product, _ in kept]
        seqs = np.asarray([seq for seq, _, _ in kept], np.int64)
        return cls(
            seqs,
            np.stack([vector for _, _, vector in kept]),
            {name: kind.build(products) for name, kind in layout.items()},
        )

    @staticmethod
    def merged(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        """One segment of the given rows of several; the parts follow each other in write order."""
        seqs = np.concatenate([segment.seqs[rows] for segment, rows in parts])
        vectors = np.concatenate([segment.vectors[rows] for segment, rows in parts])
        return Segment(
            seqs,
            vectors,
            merge_columns([(segment.columns, rows) for segment, rows in parts], layout),
        )

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
