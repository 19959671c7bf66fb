"""The first rows of a catalogue as the products they would become, without writing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ingest.pictures import Picture, pictures_of
from ingest.sources import BrokenRow, LeftOutRow, Row, open_source
from vitrine.errors import FieldError, InvalidImage, InvalidProduct
from vitrine.fields import Mapping
from vitrine.products import Product
from vitrine.settings import FetchSettings

__all__ = ["Preview", "PreviewRow", "preview_catalogue"]

_LOOKED_AT = 5_000
"""Rows that are read to find as many products as are to be shown."""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row: where it stands, the product it becomes (None where it fails), pictures and remarks.

    `pictures` are addresses or file names, "" for bytes within the catalogue; `pictured` is false
    where none of these files is there.
    """

    place: str
    product: Product | None
    pictures: tuple[str, ...] = ()
    problems: tuple[FieldError, ...] = ()
    pictured: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """What a catalogue would become; `left_out` counts rows that the mapping leaves out."""

    rows: tuple[PreviewRow, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]

    @property
    def failed(self) -> int:
        """How many of the rows shown would fail."""
        return sum(row.product is None or not row.pictured for row in self.rows)


def preview_catalogue(
    spec: str, settings: FetchSettings, mapping: Mapping, *, limit: int = 20
) -> Preview:
    """The first rows of a source through a mapping.

    `InvalidInput` and `InvalidMapping` as an ingest would raise them.
    """
    source = open_source(spec, settings, mapping)
    mapping.require_columns(source.columns(set(mapping.columns().values())))
    shown: list[PreviewRow] = []
    left_out: Counter[str] = Counter()
    for row in islice(source.rows(), _LOOKED_AT):
        if isinstance(row, LeftOutRow):
            left_out[row.reason] += 1
        else:
            shown.append(_shown(row, mapping))
        if len(shown) == limit:
            break
    return Preview(tuple(shown), dict(left_out.most_common()), source.notes())


def _shown(row: Row | BrokenRow, mapping: Mapping) -> PreviewRow:
    if isinstance(row, BrokenRow):
        return PreviewRow(row.place, None, problems=(FieldError("", row.message),))
    try:
        mapped = mapping.read_row(row.values, row.number)
    except InvalidProduct as error:
        return PreviewRow(row.place, None, problems=tuple(error.errors))
    split = mapping.product.images.split
    try:
        pictures = pictures_of(mapped.images, row.base, mapping.images, split)
    except InvalidImage as error:
        return PreviewRow(row.place, None, problems=(*mapped.warnings, *error.errors))
    missing = tuple(
        FieldError("images", f"there is no file {picture.path}")
        for picture in pictures
        if picture.path is not None and not picture.path.exists()
    )
    names = tuple(_name(picture) for picture in pictures)
    return PreviewRow(
        row.place,
        mapped.product,
        names,
        (*mapped.warnings, *missing),
        pictured=len(missing) < len(pictures),
    )


def _name(picture: Picture) -> str:
    name: Any = picture.url or picture.path
    return str(name) if name is not None else ""
