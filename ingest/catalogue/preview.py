"""The first rows of a catalogue as the products they would become, without writing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

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
    spec: str,
    settings: FetchSettings,
    mapping: Mapping,
    *,
    limit: int = 20,
    pictures_beside: bool = True,
) -> Preview:
    """The first rows of a source through a mapping.

    `pictures_beside` is false for an upload, which is a single file without a folder of pictures.
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
            shown.append(_shown(row, mapping, pictures_beside))
        if len(shown) == limit:
            break
    return Preview(tuple(shown), dict(left_out.most_common()), source.notes())


def _shown(row: Row | BrokenRow, mapping: Mapping, pictures_beside: bool) -> PreviewRow:
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
    folder = None if pictures_beside else row.base
    names = tuple(_name(picture, folder) for picture in pictures)
    missing = tuple(
        FieldError("images", f"there is no file {name}" if pictures_beside else _no_folder(name))
        for picture, name in zip(pictures, names, strict=True)
        if picture.path is not None and not Path(picture.path).exists()
    )
    return PreviewRow(
        row.place,
        mapped.product,
        names,
        (*mapped.warnings, *missing),
        pictured=len(missing) < len(pictures),
    )


def _name(picture: Picture, folder: Path | None) -> str:
    """The address or file; a file of an upload as the catalogue names it, since `folder` is the
    service's own."""
    if picture.url is not None:
        return picture.url
    if picture.path is None:
        return ""
    path = Path(picture.path)
    inside = folder is not None and path.is_relative_to(folder)
    return str(path.relative_to(folder) if folder and inside else path)


def _no_folder(name: str) -> str:
    return (
        f"{name} is no address, and an upload has no folder of pictures: give the address that "
        "they are below (images.base in the mapping)"
    )
