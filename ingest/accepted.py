"""What the admin API accepts: values checked and typed at the edge, and pictures sent along."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeAlias

from ingest.jobs.work import PictureSource, RemotePicture, StoredPicture
from vitrine.images.ports import ImageStore
from vitrine.products import Product, Value

__all__ = [
    "AcceptedChanges",
    "AcceptedPicture",
    "AcceptedProduct",
    "restore_pictures",
    "store_pictures",
]

_THREADS = 8
"""Pictures written to the image store at once."""

AcceptedPicture: TypeAlias = bytes | RemotePicture | StoredPicture
"""The bytes of a picture, where to fetch it, or its key in the image store."""


@dataclass(frozen=True)
class AcceptedProduct:
    """A product to insert or replace, with its pictures in order.

    Without pictures a known product keeps those that it has.
    """

    product: Product
    pictures: tuple[AcceptedPicture, ...] = ()


@dataclass(frozen=True)
class AcceptedChanges:
    """New values of a product's fields, and its pictures where they are to be others."""

    fields: Mapping[str, Value | None]
    pictures: tuple[AcceptedPicture, ...] = ()


def store_pictures(
    images: ImageStore, pictures: Sequence[Sequence[AcceptedPicture]]
) -> list[tuple[PictureSource, ...]]:
    """The pictures of each product; those that were sent are in the image store now."""

    def store(picture: AcceptedPicture) -> PictureSource:
        return StoredPicture(images.put(picture)) if isinstance(picture, bytes) else picture

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="store-picture") as pool:
        stored = iter(list(pool.map(store, chain.from_iterable(pictures))))
    return [tuple(islice(stored, len(of_product))) for of_product in pictures]


def restore_pictures(images: ImageStore, pictures: Iterable[Sequence[AcceptedPicture]]) -> None:
    """Put pictures again that were removed with their product before these writes named them.

    See `ingest.tasks.picture_removal`.
    """
    for picture in chain.from_iterable(pictures):
        if isinstance(picture, bytes) and not images.has(hashlib.sha256(picture).hexdigest()):
            images.put(picture)
