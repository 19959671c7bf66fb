"""A process that ingests into the embedded backend with the stand-in model.

Tests have it killed or measure it.

Usage: python -m tests.integration.ingest_process SOURCE MAPPING DATA_DIR SECONDS

Prints "ack N" whenever more products are written, at last the summary and the peak of its memory
as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from ingest.pipeline import Progress, RunControl, fill
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from tests.fakes import FakeEmbedder
from vitrine.embedding import ModelInfo
from vitrine.fields import Mapping
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

_HELD_S = 10.0
"""Seconds for which vectors are held back until a product has been written."""


class SlowEmbedder(FakeEmbedder):
    """The stand-in model, as slow as a real one."""

    def __init__(self, seconds: float, images: int) -> None:
        super().__init__()
        self._seconds, self._images = seconds, images
        self.written = threading.Event()
        self.info: ModelInfo

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds * len(pixels))
        vectors = super().embed_pixels(pixels)
        # the product that is written first may need the vectors that are held back here
        if self.images_embedded >= self._images and self.written.wait(_HELD_S):
            children = psutil.Process().children()
            print("children", *(child.pid for child in children), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return vectors


def main(
    source: str,
    mapping: str,
    data_dir: str,
    seconds: float,
    *,
    images: int = sys.maxsize,
    moment: float | None = None,
    processes: int = 0,
) -> None:
    """Ingest; `seconds` is what an image costs, `processes` decode them.

    It kills itself once that many images have been with the model and a product is written, or at
    a moment after it has begun.
    """
    settings = Settings(
        data_dir=Path(data_dir),
        write_batch=16,
        batch_size=8,
        decode_threads=2,
        decode_processes=processes,
    )
    fill._TICK_S = 0.01
    acknowledged = -1

    embedder = SlowEmbedder(seconds, images)

    def show(progress: Progress) -> None:
        nonlocal acknowledged
        if acknowledged < 0 and moment is not None:
            end = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGKILL))
            end.daemon = True
            end.start()
        if progress.done > acknowledged:
            acknowledged = progress.done
            if acknowledged > 0:
                embedder.written.set()
            print(f"ack {acknowledged}", flush=True)

    with closing(Vitrine(settings, embedder=lambda _: embedder)) as vitrine:
        summary = run(
            vitrine,
            open_source(source, settings),
            Mapping.load(mapping),
            control=RunControl(progress=show),
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values = {
        "done": summary.done,
        "unchanged": summary.unchanged,
        "failed": summary.failed,
        "published": summary.published,
    }
    print(json.dumps({**values, "version": summary.version, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    *paths, image_s = sys.argv[1:]
    main(*paths, float(image_s))
