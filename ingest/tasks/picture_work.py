"""Chooses where pictures are read, decoded and embedded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from ingest.cluster import open_cluster_work
from ingest.database import ingest_database
from ingest.decoding.program import DecoderSpec
from ingest.decoding.work import PLACES, ProcessPictureWork
from ingest.pictures.hosts import AddressBook
from ingest.pictures.polite import PoliteFetcher
from ingest.pipeline.local_work import LocalPictureWork
from ingest.pipeline.picture_work import PictureWork
from vitrine.cores import usable_cores
from vitrine.embedding import Embedder
from vitrine.images.decode import ImageLimits
from vitrine.wiring import Vitrine

__all__ = ["SharedPictureWork", "decoding_processes", "open_picture_work"]

_BY_CORES = -1
"""Value of DECODE_PROCESSES."""


def open_picture_work(vitrine: Vitrine, embedder: Embedder) -> PictureWork:
    """The work of the cluster that the settings name, else of this machine's decoding processes or
    threads; to be closed."""
    settings = vitrine.settings
    addresses = AddressBook(ingest_database(settings.data_dir))
    if settings.ray_address:
        return open_cluster_work(vitrine, embedder, addresses)
    fetcher = PoliteFetcher(settings, addresses, has_picture=vitrine.images.has)
    limits, cores = ImageLimits.of(settings), usable_cores()
    processes = settings.decode_processes
    if processes == _BY_CORES:
        processes = decoding_processes(cores, embedder.compute.device)
    if processes == 0:
        threads = settings.decode_threads or cores
        return LocalPictureWork(fetcher, vitrine.images, embedder, limits, threads=threads)
    spec = DecoderSpec(settings, vitrine.images, embedder.pictures, limits, PLACES, processes)
    return ProcessPictureWork(spec, fetcher, embedder)


def decoding_processes(cores: int, device: str) -> int:
    """How many processes decode where the settings leave it to the cores; 0 for threads.

    With a card the decoders are what it waits for: they get all cores but two, which the forward
    pass, reading and writing need. Without one the forward pass takes most of every core (ViT-B/32
    5 to 12 times what decoding takes), and a process for four cores keeps ahead of it; below four
    the threads of the ingest do as much with less memory.
    """
    return max(1, cores - 2) if device != "cpu" else cores // 4


class SharedPictureWork:
    """Picture works by model, open from one item of a job to the next and for all threads.

    Decoding processes are started for a run, not for each part of it. Safe from several threads.
    """

    def __init__(self, vitrine: Vitrine) -> None:
        self._vitrine = vitrine
        self._works: dict[Embedder, PictureWork] = {}
        self._failed: list[PictureWork] = []
        self._holders = 0
        self._lock = Lock()

    def of(self, embedder: Embedder) -> PictureWork:
        """The work for a model, to be used inside `in_use`."""
        with self._lock:
            if embedder not in self._works:
                self._works[embedder] = open_picture_work(self._vitrine, embedder)
            return self._works[embedder]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While this is open, `close_idle` closes nothing; after an error, `of` opens new works."""
        with self._lock:
            self._holders += 1
        try:
            yield
        except Exception:
            with self._lock:
                self._failed += self._works.values()
                self._works.clear()
            raise
        finally:
            with self._lock:
                self._holders -= 1

    def close_idle(self) -> None:
        """Close all, unless somebody holds them."""
        with self._lock:
            if self._holders:
                return
            works = [*self._works.values(), *self._failed]
            self._works.clear()
            self._failed.clear()
        for work in works:
            work.close()
