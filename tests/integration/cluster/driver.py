"""Drives an ingest over a Ray cluster, and does to it what a test asks.

Usage: python -m tests.integration.cluster.driver SCENARIO. Settings come from the environment,
the catalogue lies in the working directory. Prints the summary as JSON.

plain: nothing happens. poison: pictures named in POISON end every process that decodes them, others
end the process that embeds them once. kill-node: the node whose process id is in NODE_PID is killed
(-9) when a third of the products are done. die: the driver itself is killed then.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.cluster import picture_work
from ingest.pipeline import Progress, RunControl, fill
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from vitrine.embedding import Embedder, PictureRules
from vitrine.fields import Mapping
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

POISON_SIZE = (77, 33)
"""Pictures of this size end the process that decodes them, where that is asked for."""


class PoisonedRules:
    """A checkpoint's rules, and an end for whoever decodes a certain picture."""

    def __init__(self, inner: PictureRules) -> None:
        self._inner = inner
        self.shape, self.shorter_side = inner.shape, inner.shorter_side

    def levels(self, images: Sequence[Image.Image]) -> NDArray[np.uint8]:
        if any(image.size == POISON_SIZE for image in images):
            os.kill(os.getpid(), signal.SIGKILL)
        return self._inner.levels(images)


class Poisoned:
    """An embedder whose rules are poisoned; else the one inside."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.pictures = PoisonedRules(inner.pictures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class ActorKilledOnce(picture_work.ClusterPictureWork):
    """Ends a model's process under its third batch."""

    batches_begun = 0

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        type(self).batches_begun += 1
        if type(self).batches_begun == 3:
            self._ray.kill(self._embedders._members[0].actor)
        return super().embed(pixels)


class Counting(picture_work.ClusterPictureWork):
    """Counts how often each picture was handed to the cluster."""

    tasks = 0

    def prepare(self, tasks: Sequence[PictureTask]) -> Any:
        type(self).tasks += len(tasks)
        outcomes: Any = super().prepare(tasks)
        for outcome in outcomes:
            assert isinstance(outcome, PictureOutcome)
            yield outcome


def main(scenario: str) -> None:
    settings = load_settings()
    fill._TICK_S = 0.02
    mapping = Mapping.load(Path("shop.toml"))
    source = open_source("catalogue.csv", settings, mapping)
    count = source.count() or 0
    happened = False

    def watch(progress: Progress) -> None:
        nonlocal happened
        if happened or 3 * progress.done < count:
            return
        happened = True
        if scenario == "kill-node":
            os.kill(int(os.environ["NODE_PID"]), signal.SIGKILL)
        elif scenario == "die":
            os.kill(os.getpid(), signal.SIGKILL)

    vitrine = Vitrine(settings)
    if scenario == "poison":
        embedder = Poisoned(vitrine.embedder)
        vitrine = Vitrine(settings, embedder=lambda _: embedder)  # type: ignore[return-value, arg-type]
        picture_work.ClusterPictureWork = ActorKilledOnce  # type: ignore[misc]
    else:
        picture_work.ClusterPictureWork = Counting  # type: ignore[misc]
    with closing(vitrine), redirect_stdout(sys.stderr):
        summary = run(vitrine, source, mapping, control=RunControl(progress=watch))
    print(json.dumps({**asdict(summary), "tasks": Counting.tasks}, default=dict))


if __name__ == "__main__":
    main(sys.argv[1])
