"""What the admin API accepts: values checked and typed at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.jobs.work import RemotePicture
from vitrine.products import Product

__all__ = ["AcceptedProduct"]


@dataclass(frozen=True)
class AcceptedProduct:
    """A product to insert or replace, with the bytes of its picture or where to fetch it.

    Without a picture a known product keeps the one that it has.
    """

    product: Product
    picture: bytes | RemotePicture | None = None
