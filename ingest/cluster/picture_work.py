"""`PictureWork` of a Ray cluster: tasks prepare pictures, actors embed them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.cluster.connection import connect, living_nodes, on_node
from ingest.cluster.embedders import ClusterEmbedders, EmbedderDied, cause_of
from ingest.cluster.gate import ClusterGate
from ingest.cluster.node import NodeSetup, PreparedChunk, check_node, prepare_chunk
from ingest.pictures import Picture
from ingest.pictures.hosts import HostPlaces, KnownAddresses
from ingest.pictures.polite import place_lease_s
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from vitrine.embedding import Embedder
from vitrine.errors import InvalidImage, StorageUnavailable
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

__all__ = ["ClusterPictureWork", "open_cluster_work"]

_LOOK_S = 10.0
"""Seconds between checks that a cluster that has not answered yet is still there."""
_LONGEST_S = 3600.0
"""Seconds after which a chunk counts as lost: far longer than slow hosts can take."""
_RETRIES = 1
"""Times that Ray runs a chunk again whose process or node ended, before it is cut into pictures."""
_TRIES = 2
"""Times that a batch is embedded before it is halved; a single picture has twice as many."""
_PROBE = b"Vitrine looks whether every node of the cluster sees this image store.\n"


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPixels:
    """A row of an array that is stored on a node, and the task that made it."""

    array: Any
    row: int
    task: PictureTask


class ClusterPictureWork:
    """Safe to use from several threads; each waits for its own chunk or batch."""

    out_of_process = False
    """The nodes decode, and this process has cores for reading the source itself."""
    chunk = 32
    """Products whose pictures make one task: enough work to hide that it travels."""

    def __init__(
        self,
        ray: Any,
        setup: NodeSetup,
        embedder: Embedder,
        addresses: KnownAddresses,
    ) -> None:
        self._ray, self._settings = ray, setup.settings
        self._dimension = embedder.info.dimension
        self._addresses = addresses
        self._setup = ray.put(setup)
        self._prepare = ray.remote(prepare_chunk).options(
            num_returns=2, num_cpus=1, max_retries=_RETRIES
        )
        self._embedders = ClusterEmbedders(ray, self._setup, embedder.info.fingerprint)
        self._pictures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.chunks = 2 * max(1, sum(node.cores for node in living_nodes(ray)))
        self.batches = 2 * len(self._embedders)

    @property
    def nodes(self) -> Mapping[str, int]:
        """Pictures prepared so far, by the node's name."""
        with self._lock:
            return dict(self._pictures)

    def prepare(self, tasks: Sequence[PictureTask]) -> Iterator[PictureOutcome]:
        """The outcome of each task."""
        outcomes: list[PictureOutcome | None] = []
        portable: list[PictureTask] = []
        for task in tasks:
            try:
                portable.append(self._portable(task))
                outcomes.append(None)
            except InvalidImage as error:
                outcomes.append(PictureOutcome(refusal=error))
        prepared = iter(self._prepared(portable))
        return (next(prepared) if outcome is None else outcome for outcome in outcomes)

    def embed(self, pixels: Sequence[ClusterPixels]) -> NDArray[np.float32]:
        """Unit rows; rows of NaN for a picture that ends every process which embeds it."""
        # again on another node or after a fresh start; a node that died is known as such only later
        for _ in range(_TRIES if len(pixels) > 1 else 2 * _TRIES):
            try:
                return self._embedded(pixels)
            except EmbedderDied:
                continue
        if len(pixels) == 1:
            return np.full((1, self._dimension), np.nan, np.float32)
        half = len(pixels) // 2
        return np.concatenate([self.embed(pixels[:half]), self.embed(pixels[half:])])

    def close(self) -> None:
        """The models stay for the next run of this process, and end with it."""

    def _portable(self, task: PictureTask) -> PictureTask:
        """The task with the bytes of a file that only this machine may have."""
        if task.key is not None or task.picture is None or task.picture.path is None:
            return task
        return replace(task, picture=Picture(data=task.picture.read(self._settings)))

    def _prepared(self, tasks: Sequence[PictureTask]) -> list[PictureOutcome]:
        if not tasks:
            return []
        sent = self._send(tasks)
        try:
            return self._receive(tasks, *sent)
        except _Crashed:
            if len(tasks) == 1:
                return [PictureOutcome(refusal=_deadly())]
        each = [(task, self._send([task])) for task in tasks]
        return [outcome for task, alone in each for outcome in self._alone(task, alone)]

    def _alone(self, task: PictureTask, sent: tuple[Any, Any]) -> list[PictureOutcome]:
        try:
            return self._receive([task], *sent)
        except _Crashed:
            return [PictureOutcome(refusal=_deadly())]

    def _send(self, tasks: Sequence[PictureTask]) -> tuple[Any, Any]:
        urls = {task.picture.url for task in tasks if task.picture and task.picture.url}
        known = {url: entry for url in urls if (entry := self._addresses.find(url)) is not None}
        chunk, pixels = self._prepare.remote(self._setup, list(tasks), known)
        return chunk, pixels

    def _receive(
        self, tasks: Sequence[PictureTask], sent: Any, pixels: Any
    ) -> list[PictureOutcome]:
        chunk: PreparedChunk = self._answer(sent)
        for url, known in chunk.noted.items():
            self._addresses.note(url, known)
        with self._lock:
            self._pictures[chunk.node] += len(tasks)
        return [
            outcome
            if outcome.pixels is None
            else replace(outcome, pixels=ClusterPixels(pixels, outcome.pixels, task))
            for task, outcome in zip(tasks, chunk.outcomes, strict=True)
        ]

    def _embedded(self, pixels: Sequence[ClusterPixels]) -> NDArray[np.float32]:
        places: dict[Any, list[int]] = {}
        for place, each in enumerate(pixels):
            places.setdefault(each.array, []).append(place)
        rows = [[pixels[place].row for place in chosen] for chosen in places.values()]
        with self._embedders.least_busy() as actor:
            vectors: NDArray[np.float32] = self._answer(actor.embed.remote(rows, *places))
        ordered = np.empty_like(vectors)
        ordered[[place for chosen in places.values() for place in chosen]] = vectors
        return ordered

    def _answer(self, reference: Any) -> Any:
        """What a task gives; `_Crashed` or `EmbedderDied` where its process has ended."""
        ray, until = self._ray, time.monotonic() + _LONGEST_S
        errors = ray.exceptions
        while True:
            try:
                return ray.get(reference, timeout=_LOOK_S)
            except errors.GetTimeoutError:
                if time.monotonic() > until or not living_nodes(ray):
                    raise StorageUnavailable("the Ray cluster no longer answers") from None
            except errors.RayTaskError as error:
                raise cause_of(error) from None
            except (errors.RayActorError, errors.ActorUnschedulableError) as error:
                raise EmbedderDied(str(error)) from None
            except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
                raise _Crashed(str(error)) from None


class _Crashed(Exception):
    """The process that prepared a chunk ended each time it was tried."""


def _deadly() -> InvalidImage:
    return InvalidImage(
        "ended_decoder", "the picture ends every process that decodes it; export or upload it again"
    )


_opened: dict[tuple[str, str], ClusterPictureWork] = {}
_opening = threading.Lock()


def open_cluster_work(
    vitrine: Vitrine, embedder: Embedder, addresses: KnownAddresses
) -> ClusterPictureWork:
    """The work of the cluster at `ray_address`, opened once for each model.

    `StorageUnavailable` when it does not answer or a node cannot reach the image store,
    `ModelUnavailable` when a node cannot load the same model.
    """
    settings = vitrine.settings
    key = (settings.ray_address, embedder.info.fingerprint)
    with _opening:
        if key not in _opened:
            ray = connect(settings.ray_address)
            setup = _setup(ray, settings, embedder)
            _check_store(ray, setup, vitrine.images.put(_PROBE))
            _opened[key] = ClusterPictureWork(ray, setup, embedder, addresses)
        return _opened[key]


def _setup(ray: Any, settings: Settings, embedder: Embedder) -> NodeSetup:
    places = ray.remote(HostPlaces).options(num_cpus=0, max_restarts=-1)
    gate = places.remote(settings.fetch_per_host, lease_s=place_lease_s(settings))
    return NodeSetup(settings, embedder.pictures, ClusterGate(gate))


def _check_store(ray: Any, setup: NodeSetup, key: str) -> None:
    check = ray.remote(check_node)
    sent = [
        (
            node,
            check.options(num_cpus=0, scheduling_strategy=on_node(node)).remote(setup, key),
        )
        for node in living_nodes(ray)
    ]
    for node, reference in sent:
        try:
            ray.get(reference, timeout=_LOOK_S * 6)
        except ray.exceptions.GetTimeoutError:
            raise StorageUnavailable(f"the node {node.name} does not answer") from None
        except ray.exceptions.RayTaskError as error:
            raise cause_of(error) from None
        except ray.exceptions.RayError as error:
            if node in living_nodes(ray):
                raise StorageUnavailable(f"the node {node.name} runs no task: {error}") from None
            # it has left the cluster meanwhile
