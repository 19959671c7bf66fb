"""What becomes of a row: a product with its pictures, or what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from ingest.pictures import Picture, pictures_of
from ingest.sources.ports import BrokenRow, LeftOutRow, Row, Source
from vitrine.errors import InvalidImage, InvalidProduct
from vitrine.fields import Mapping
from vitrine.fields.reading import FieldWarning
from vitrine.products import Product

__all__ = [
    "FailedRow",
    "RowChunk",
    "RowOutcome",
    "RowReading",
    "SourceProduct",
    "outcome_of",
    "read_chunks",
]

_BYTES = 16_000_000
"""Bytes of pictures within the rows of one chunk, unless one row alone has more."""


@dataclass(frozen=True)
class SourceProduct:
    """A product on its way; `digest` is what an interrupted run noted when it had stored this id.

    Without pictures `refusal` says what is wrong with those that the source names. `warnings` are
    of its fields. Like the others here it has no slots: see `PictureTask`.
    """

    row: int
    product: Product
    pictures: tuple[Picture, ...]
    digest: str | None = None
    refusal: InvalidImage | None = None
    place: str = ""
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True)
class FailedRow:
    """A row that is not a product, as the ledger tells it."""

    row: int
    place: str
    product_id: str | None
    stage: str
    reason: str
    message: str


RowOutcome: TypeAlias = SourceProduct | FailedRow | LeftOutRow


@dataclass(frozen=True)
class RowChunk:
    """The outcomes of rows that follow each other, and the seconds that reading them took.

    `share` is how much of the source has been read with them (`Source.share`).
    """

    outcomes: list[RowOutcome]
    seconds: float
    share: float | None


@dataclass(frozen=True)
class RowReading:
    """How to read a source: `chunk` rows at a time, of each product `max_images` pictures.

    `first` is the number of the row to begin with; those before it are read and passed over.
    """

    source: Source
    mapping: Mapping
    chunk: int
    max_images: int
    first: int = 0


def read_chunks(reading: RowReading) -> Iterator[RowChunk]:
    """The rows of a source, each chunk read when it is taken."""
    rows = islice(reading.source.rows(), reading.first, None)
    while True:
        began = time.monotonic()
        outcomes = _next_outcomes(rows, reading)
        if not outcomes:
            return
        share = reading.source.share()
        yield RowChunk(outcomes, time.monotonic() - began, share)


def _next_outcomes(
    rows: Iterator[Row | BrokenRow | LeftOutRow], reading: RowReading
) -> list[RowOutcome]:
    outcomes: list[RowOutcome] = []
    size = 0
    for row in rows:
        outcome = outcome_of(row, reading.mapping, reading.max_images)
        outcomes.append(outcome)
        if isinstance(outcome, SourceProduct):
            size += sum(len(picture.data) for picture in outcome.pictures if picture.data)
        if len(outcomes) == reading.chunk or size >= _BYTES:
            break
    return outcomes


def outcome_of(row: Row | BrokenRow | LeftOutRow, mapping: Mapping, max_images: int) -> RowOutcome:
    """What a row becomes under a mapping, with the first `max_images` of its pictures."""
    if isinstance(row, LeftOutRow):
        return row
    if isinstance(row, BrokenRow):
        return FailedRow(row.number, row.place, None, "read", "broken_row", row.message)
    try:
        mapped = mapping.read_row(row.values, row.number)
    except InvalidProduct as error:
        product_id = mapping.raw_id(row.values)
        return FailedRow(row.number, row.place, product_id, "fields", "invalid_field", str(error))
    pictures: tuple[Picture, ...] = ()
    refusal = None
    try:
        split = mapping.product.images.split
        pictures = pictures_of(mapped.images, row.base, mapping.images, split)[:max_images]
    except InvalidImage as error:
        refusal = error
    return SourceProduct(
        row.number,
        mapped.product,
        pictures,
        refusal=refusal,
        place=row.place,
        warnings=mapped.warnings,
    )
