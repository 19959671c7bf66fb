"""What the nodes of a cluster do: functions and a class that Ray runs in processes of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.pictures.hosts import HostGate, KnownAddress
from ingest.pictures.polite import PoliteFetcher
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.preparation import PicturePreparation, settled
from vitrine.embedding import Embedder, PictureRules
from vitrine.errors import ModelUnavailable, StorageUnavailable
from vitrine.images.decode import ImageLimits
from vitrine.images.store import open_store
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["EmbeddingNode", "NodeSetup", "PreparedChunk", "check_node", "prepare_chunk"]


@dataclass(frozen=True, eq=False)
class NodeSetup:
    """What every process of a cluster needs to know, sent once to each node."""

    settings: Settings
    rules: PictureRules
    gate: HostGate


@dataclass(frozen=True, slots=True, eq=False)
class PreparedChunk:
    """Outcomes whose `pixels` are rows of the array that comes beside them.

    `noted` are addresses that hosts have marked, `node` is the machine's name and Ray's id.
    """

    outcomes: tuple[PictureOutcome, ...]
    noted: Mapping[str, KnownAddress]
    node: str


class _CarriedAddresses:
    """The part of the address book that came along, and what is to go back into it."""

    def __init__(self, known: Mapping[str, KnownAddress]) -> None:
        self._known = known
        self.noted: dict[str, KnownAddress] = {}

    def find(self, url: str) -> KnownAddress | None:
        return self._known.get(url)

    def note(self, url: str, known: KnownAddress) -> None:
        self.noted[url] = known


def prepare_chunk(
    setup: NodeSetup, tasks: Sequence[PictureTask], known: Mapping[str, KnownAddress]
) -> tuple[PreparedChunk, NDArray[Any]]:
    """Prepare pictures; pixels go aside, so that they travel from node to node alone."""
    settings, addresses = setup.settings, _CarriedAddresses(known)
    images = open_store(settings)
    fetcher = PoliteFetcher(settings, addresses, has_picture=images.has, hosts=setup.gate)
    preparation = PicturePreparation(fetcher, images, setup.rules, ImageLimits.of(settings))
    outcomes: list[PictureOutcome] = []
    rows: list[NDArray[Any]] = []
    with closing(preparation):
        for outcome in settled(map(preparation.prepare, tasks)):
            if outcome.pixels is None:
                outcomes.append(outcome)
            else:
                outcomes.append(replace(outcome, pixels=len(rows)))
                rows.append(outcome.pixels)
    pixels = np.stack(rows) if rows else np.zeros(0, np.uint8)
    return PreparedChunk(tuple(outcomes), addresses.noted, _name()), pixels


def check_node(setup: NodeSetup, key: str) -> None:
    """`StorageUnavailable` on a node that does not see the picture that the driver has put."""
    settings = setup.settings
    if not open_store(settings).has(key):
        place = settings.image_store or str(settings.data_dir / "images")
        raise StorageUnavailable(
            f"the node {socket.gethostname()} cannot reach the image store {place}; set"
            " VITRINE_IMAGE_STORE to a folder or address that all nodes share"
        )


class EmbeddingNode:
    """The model on one node, as an actor."""

    def __init__(self, setup: NodeSetup, fingerprint: str, threads: int) -> None:
        changes: dict[str, object] = {"model_threads": threads} if threads else {}
        if own := os.environ.get("VITRINE_DATA_DIR"):
            changes["data_dir"] = Path(own)  # exports of the model are this machine's own
        self._embedder: Embedder = Vitrine(setup.settings.model_copy(update=changes)).embedder
        if self._embedder.info.fingerprint != fingerprint:
            raise ModelUnavailable(
                f"the node {socket.gethostname()} has another model under the name"
                f" {setup.settings.model}; bring all nodes to the same files"
            )

    def ready(self) -> str:
        """The machine's name, once the model is loaded."""
        return socket.gethostname()

    def embed(self, rows: Sequence[Sequence[int]], *arrays: NDArray[Any]) -> NDArray[np.float32]:
        """Unit vectors of the rows of each array, in order."""
        parts = [array[list(chosen)] for chosen, array in zip(rows, arrays, strict=True)]
        return self._embedder.embed_pixels(np.concatenate(parts))


@cache
def _name() -> str:
    import ray

    return f"{socket.gethostname()} ({ray.get_runtime_context().get_node_id()[:6]})"
