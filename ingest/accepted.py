"""What the admin API accepts: values checked and typed at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ingest.jobs.work import RemotePicture, StoredPicture
from vitrine.products import Product, Value

__all__ = ["AcceptedChanges", "AcceptedPicture", "AcceptedProduct"]

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
