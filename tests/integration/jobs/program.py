"""A worker, or a shop's admin side, as a process of its own over the fake models.

`tests.support.forked` starts them.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.admin import Admin
from ingest.jobs.factory import open_store
from ingest.stop_request import StopRequest
from ingest.worker import Worker
from tests.fakes import FakeEmbedder
from tests.shop import open_shop

PICTURE_S = 0.01
"""What a picture costs the slow model.

A reindex then lasts long enough to be struck in the middle.
"""


class Recording(FakeEmbedder):
    """A model that takes its time and leaves a note of its work that survives any death."""

    def __init__(self, name: str, notes: Path) -> None:
        super().__init__(name=name)
        self._notes = notes

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(PICTURE_S * len(pixels))
        with self._notes.open("a") as file:
            file.write(f"{len(pixels)}\n")
        return super().embed_pixels(pixels)


def run_worker(folder: Path, settings: dict[str, object]) -> None:
    """Work until SIGTERM; every embedded picture is noted in the folder's `embedded-PID`."""
    shop = open_shop(folder, **settings)
    notes = folder / f"embedded-{os.getpid()}"
    shop.models.make = lambda name: Recording(name, notes)
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", flush=True)
    Worker(shop.vitrine, open_store(shop.vitrine.settings)).run(stop)


def accept_changes(folder: Path, settings: dict[str, object], count: int) -> None:
    """Accept changes of product after product, and print each as soon as it is accepted."""
    admin = Admin(open_shop(folder, **settings).vitrine)
    for number in range(count):
        admin.patch(f"p{number:05}", {"price": 10_000 + number})
        print(number, flush=True)
