"""Pictures prepared and embedded in the process that ingests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.pipeline.picture_work import PictureOutcome, PictureReader, PictureTask
from ingest.pipeline.preparation import PicturePreparation, settled
from vitrine.embedding import Embedder
from vitrine.images.decode import ImageLimits
from vitrine.images.ports import ImageStore

__all__ = ["LocalPictureWork"]


class LocalPictureWork:
    """Works in the thread that calls."""

    out_of_process = False
    """On few cores another process has nothing to win."""
    chunk = 8
    """A compromise between traffic among threads and the pictures held in memory."""
    batches = 2
    """While one batch runs, the next is collected and started."""

    def __init__(
        self,
        fetcher: PictureReader,
        images: ImageStore,
        embedder: Embedder,
        limits: ImageLimits,
        *,
        threads: int,
    ) -> None:
        self._embedder = embedder
        self._preparation = PicturePreparation(fetcher, images, embedder.pictures, limits)
        self.chunks = threads
        self.nodes: Mapping[str, int] = {}

    def prepare(self, tasks: Sequence[PictureTask]) -> Iterator[PictureOutcome]:
        """The outcome of each task, made when it is taken."""
        return settled(self._preparation.prepare_in_turn(tasks))

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        """The forward pass."""
        return self._embedder.embed_pixels(np.stack(pixels))

    def close(self) -> None:
        """End the threads in which pictures are kept."""
        self._preparation.close()
