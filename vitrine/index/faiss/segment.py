"""A segment: an unchanging stretch of writes with their columns and vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vitrine.index.faiss.columns.layout import ID, WORDS, Layout
from vitrine.index.faiss.columns.ragged import Ints
from vitrine.index.faiss.columns.types import Column, Keywords, Numbers, OrderedTexts
from vitrine.index.faiss.columns.words import WordPostings
from vitrine.index.faiss.lru_cache import SizedLRUCache
from vitrine.index.faiss.records.changes import Change
from vitrine.index.faiss.vectors.device_vectors import DeviceVectors, ScannedVectors
from vitrine.index.faiss.vectors.graph import Graph
from vitrine.index.faiss.vectors.one_bit import OneBitVectors
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.quantized import QuantizedVectors
from vitrine.index.faiss.vectors.search_device import SearchDevice

__all__ = ["Columns", "Segment", "SnapshotParts", "column_parts"]

Columns: TypeAlias = Mapping[str, Column]

_FEW_ROWS = 5000
"""So few rows are found by a table of their ids, which costs less than to sort them."""
CACHE_BYTES = 64_000_000
"""Memory of one segment for the masks of recent filters and its sort orders."""


@dataclass(frozen=True, eq=False)
class SnapshotParts:
    """What a segment has when it is mapped from a snapshot's folder."""

    folder: Path | None = None
    quantized: QuantizedVectors | None = None
    quantized_texts: QuantizedVectors | None = None
    one_bit: OneBitVectors | None = None
    graph: Graph | None = None


class Segment:
    """Products in the order of their writes, a row each: numbers, vectors, and the columns.

    `seqs` (n,) is ascending, `pictures` and, where the version keeps them, `texts` have the vectors
    of n products. `folder` is the snapshot's that it is mapped from; such a segment may hold rows
    that a later row of the same id replaces. Where it has 8-bit rows (`quantized`,
    `quantized_texts`), one-bit rows (`one_bit`) or a `graph` of the pictures, they are of all its
    rows.
    """

    def __init__(
        self,
        seqs: Ints,
        pictures: ProductVectors,
        columns: Columns,
        *,
        texts: ProductVectors | None = None,
        snapshot: SnapshotParts | None = None,
    ) -> None:
        parts = snapshot or SnapshotParts()
        self.seqs = seqs
        self.pictures = pictures
        self.texts = texts
        self.columns = columns
        self.folder = parts.folder
        self.codes = parts.quantized
        self.text_codes = parts.quantized_texts
        self.one_bit = parts.one_bit
        self.graph = parts.graph
        self._on_device: DeviceVectors | None = None
        self._texts_on_device: DeviceVectors | None = None
        self.cache = SizedLRUCache(CACHE_BYTES)

    @classmethod
    def of(cls, changes: Sequence[Change], layout: Layout) -> Segment:
        """The segment of the products among the changes."""
        written = [
            (c.seq, c.product, c.vectors, c.text_vector)
            for c in changes
            if c.product is not None and c.vectors is not None
        ]
        seqs, products, vectors, texts = zip(*written, strict=True)
        return cls(
            np.asarray(seqs, np.int64),
            ProductVectors.of(vectors),
            {name: kind.build(products) for name, kind in layout.items()},
            # a version keeps a text vector of every product or of none
            texts=None if texts[0] is None else ProductVectors.one_each(np.stack(texts)),
        )

    @staticmethod
    def merged(parts: Sequence[tuple[Segment, Ints]], layout: Layout) -> Segment:
        """One segment of the given rows of several; the parts follow each other in write order."""
        texts = [s.texts.take(rows) for s, rows in parts if s.texts is not None]
        return Segment(
            np.concatenate([segment.seqs[rows] for segment, rows in parts]),
            ProductVectors.concat([segment.pictures.take(rows) for segment, rows in parts]),
            {
                name: own[0] if len(own) == 1 else layout[name].concat(own)
                for name, own in column_parts(
                    [(s.columns, s.part(rows)) for s, rows in parts], layout
                )
            },
            texts=ProductVectors.concat(texts) if texts else None,
        )

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def quantized(self) -> ScannedVectors | None:
        """The pictures in fewer bits: on a device where they can be there, else 8-bit rows."""
        return _on_device_or(self._on_device, self.codes)

    @property
    def quantized_texts(self) -> ScannedVectors | None:
        """The same of the texts."""
        return _on_device_or(self._texts_on_device, self.text_codes)

    @property
    def device_bytes(self) -> int:
        """Memory that the vectors take on a device, whether they are there or not."""
        parts = (self._on_device, self._texts_on_device)
        return sum(part.nbytes for part in parts if part is not None)

    def search_on(self, device: SearchDevice) -> None:
        """Search on the device from now on, where that is worth the way there."""
        if self._on_device is not None or len(self.pictures.rows) < device.least_rows:
            return
        self._on_device = DeviceVectors(device, self.pictures, self.codes)
        if self.texts is not None:
            self._texts_on_device = DeviceVectors(device, self.texts, self.text_codes)

    def leave_device(self) -> None:
        """Give back what the vectors take there, for good."""
        for part in (self._on_device, self._texts_on_device):
            if part is not None:
                part.retire()

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

    def part(self, rows: Ints) -> Ints | None:
        """The rows as `column_parts` takes them: None where they are all of them."""
        return None if len(rows) == len(self) else rows

    def find(self, product_id: str) -> int | None:
        """The last row of a product id."""
        if len(self) <= _FEW_ROWS:
            return self._row_of.get(product_id.encode())
        return self.ids.texts.find(product_id, order=self.ids.order)

    @cached_property
    def _row_of(self) -> dict[bytes, int]:
        return {product_id: row for row, product_id in enumerate(self.ids.texts.each())}


def _on_device_or(
    vectors: DeviceVectors | None, codes: QuantizedVectors | None
) -> ScannedVectors | None:
    return vectors if vectors is not None and vectors.ready() else codes


def column_parts(
    parts: Sequence[tuple[Columns, Ints | None]], layout: Layout
) -> Iterator[tuple[str, Sequence[Column]]]:
    """Of each column the given rows (ascending; None: all) of each part, when it is asked for: all
    columns at once are what takes most memory."""
    for name in layout:
        yield (
            name,
            [
                columns[name] if rows is None else columns[name].take(rows)
                for columns, rows in parts
            ],
        )
