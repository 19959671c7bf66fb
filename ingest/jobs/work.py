"""Work as the job store keeps it: one class for each thing to do, and their one serializer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson

from vitrine.index.product_json import (
    product_from_json,
    product_to_json,
    value_from_json,
    value_to_json,
)
from vitrine.products import Product, Value

__all__ = [
    "CopyRange",
    "DeleteProduct",
    "FillFromSource",
    "FinishReindex",
    "IngestSource",
    "PatchProduct",
    "PictureSource",
    "PlanReindex",
    "PurgeProduct",
    "RemotePicture",
    "RetrySource",
    "StoredPicture",
    "UpsertProduct",
    "Work",
    "picture_keys",
    "work_from_json",
    "work_to_json",
]


@dataclass(frozen=True)
class StoredPicture:
    """A picture that the image store keeps."""

    key: str


@dataclass(frozen=True)
class RemotePicture:
    """A picture that the worker fetches."""

    url: str


PictureSource: TypeAlias = StoredPicture | RemotePicture


@dataclass(frozen=True)
class UpsertProduct:
    """Insert or replace a product; without pictures it keeps those that it has."""

    product: Product
    pictures: tuple[PictureSource, ...] = ()


@dataclass(frozen=True)
class PatchProduct:
    """Change fields of a product, each to a value of its type, or None to empty it.

    Without pictures it keeps those that it has.
    """

    changes: Mapping[str, Value | None] = field(default_factory=lambda: MappingProxyType({}))
    pictures: tuple[PictureSource, ...] = ()


@dataclass(frozen=True)
class DeleteProduct:
    """Remove a product."""


@dataclass(frozen=True)
class PurgeProduct:
    """Remove a product and, at once, its pictures."""


@dataclass(frozen=True)
class PlanReindex:
    """Create the new version and cut the live one into ranges."""


@dataclass(frozen=True)
class CopyRange:
    """Copy the products with `after` < id <= `upto` into the new version; None means no bound."""

    after: str | None
    upto: str | None


@dataclass(frozen=True)
class FillFromSource:
    """Fill the new version from a source."""

    source: str


@dataclass(frozen=True)
class FinishReindex:
    """Catch up with live writes, verify the new version and publish it."""


@dataclass(frozen=True)
class RetrySource:
    """Take the rows of a source that are in the failure ledger."""

    source: str


@dataclass(frozen=True)
class IngestSource:
    """Ingest the source that the job names, as it says."""


Work: TypeAlias = (
    UpsertProduct
    | PatchProduct
    | DeleteProduct
    | PurgeProduct
    | PlanReindex
    | CopyRange
    | FillFromSource
    | FinishReindex
    | RetrySource
    | IngestSource
)

_PLAIN: Mapping[str, type[Any]] = {
    "delete": DeleteProduct,
    "purge": PurgeProduct,
    "plan": PlanReindex,
    "copy": CopyRange,
    "fill": FillFromSource,
    "finish": FinishReindex,
    "retry": RetrySource,
    "ingest": IngestSource,
}
"""What JSON holds as it is."""

_NAMES = {kind: name for name, kind in _PLAIN.items()}


def work_to_json(work: Work) -> str:
    """The work as JSON text."""
    return orjson.dumps(_stored(work)).decode()


def work_from_json(text: str) -> Work:
    """The work that `work_to_json` wrote."""
    stored = orjson.loads(text)
    match stored.pop("do"):
        case "upsert":
            product = product_from_json(orjson.dumps(stored["product"]))
            return UpsertProduct(product, _pictures(stored))
        case "patch":
            changes = {name: value_from_json(value) for name, value in stored["changes"].items()}
            return PatchProduct(MappingProxyType(changes), _pictures(stored))
        case name:
            plain: Work = _PLAIN[name](**stored)
            return plain


def picture_keys(texts: Iterable[str]) -> set[str]:
    """Keys of the image store that works, as JSON, name."""
    named = (_pictures(orjson.loads(text)) for text in texts)
    return {
        picture.key
        for pictures in named
        for picture in pictures
        if isinstance(picture, StoredPicture)
    }


def _stored(work: Work) -> dict[str, Any]:
    match work:
        case UpsertProduct():
            product = orjson.Fragment(product_to_json(work.product))
            return {"do": "upsert", "product": product, **_named(work.pictures)}
        case PatchProduct():
            changes = {name: value_to_json(value) for name, value in work.changes.items()}
            return {"do": "patch", "changes": changes, **_named(work.pictures)}
        case _:
            return {"do": _NAMES[type(work)], **asdict(work)}


def _named(pictures: tuple[PictureSource, ...]) -> dict[str, Any]:
    return {"pictures": [asdict(picture) for picture in pictures]} if pictures else {}


def _pictures(stored: Mapping[str, Any]) -> tuple[PictureSource, ...]:
    """The pictures that a write names; earlier releases wrote one, without a list."""
    listed = stored.get("pictures", [stored] if {"key", "url"} & stored.keys() else [])
    return tuple(
        StoredPicture(named["key"]) if "key" in named else RemotePicture(named["url"])
        for named in listed
    )
