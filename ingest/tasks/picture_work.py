"""Chooses where pictures are read, decoded and embedded."""

from __future__ import annotations

import os

from ingest.database import ingest_database
from ingest.pictures.addresses import AddressBook
from ingest.pictures.polite import PoliteFetcher
from ingest.pipeline.picture_work import LocalPictureWork, PictureWork
from vitrine.embedding import Embedder
from vitrine.images.decode import ImageLimits
from vitrine.wiring import Vitrine

__all__ = ["open_picture_work"]


def open_picture_work(vitrine: Vitrine, embedder: Embedder) -> PictureWork:
    """The work of this machine's threads."""
    settings = vitrine.settings
    addresses = AddressBook(ingest_database(settings.data_dir))
    return LocalPictureWork(
        PoliteFetcher(settings, addresses, has_picture=vitrine.images.has),
        vitrine.images,
        embedder,
        ImageLimits.of(settings),
        threads=settings.decode_threads or os.cpu_count() or 1,
    )
