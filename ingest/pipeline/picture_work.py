"""What is done to a picture before a model sees it, as values that may travel to other processes.

The stages know only `PictureWork`; here is the one that works in the threads that call it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.pictures.naming import FetchedPicture, Picture
from vitrine.embedding import Embedder, PictureRules
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.ports import ImageStore

__all__ = [
    "Clock",
    "LocalPictureWork",
    "PictureOutcome",
    "PicturePreparation",
    "PictureReader",
    "PictureTask",
    "PictureWork",
    "PreparedPicture",
    "settled",
]

_AHEAD = 4
"""Pictures that may be on their way to the disk while their thread goes on."""


@dataclass(frozen=True, slots=True)
class PictureTask:
    """A picture to be read, kept and turned into pixels.

    `key` is what it turned out to be when it was read before; its bytes are then in the image
    store, and without a `picture` only there. The vectors of `embedded` keys are known, so that
    no pixels are needed for them.
    """

    picture: Picture | None
    key: str | None = None
    embedded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class PictureOutcome:
    """What became of a task: a key, with pixels where they were needed, or a refusal.

    `pixels` are what the same `PictureWork` embeds, whatever they are. `size` is the decoded
    picture's in pixels, `warnings` what was wrong with the file, `seconds` the work by stage.
    """

    key: str = ""
    pixels: Any = None
    refusal: InvalidImage | None = None
    size: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


class PictureWork(Protocol):
    """Where pictures are read, decoded and embedded; safe to use from several threads."""

    @property
    def chunks(self) -> int:
        """How many chunks of products are worth preparing at once."""
        ...

    @property
    def chunk(self) -> int:
        """How many products to prepare together."""
        ...

    @property
    def batches(self) -> int:
        """How many batches are worth embedding at once."""
        ...

    @property
    def nodes(self) -> Mapping[str, int]:
        """Pictures prepared so far, by the name of the machine; empty where it is this one."""
        ...

    def prepare(self, tasks: Sequence[PictureTask]) -> Iterator[PictureOutcome]:
        """The outcome of each task, in order; what is wrong with a picture is its refusal."""
        ...

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        """A unit row for each picture that `prepare` made pixels of."""
        ...

    def close(self) -> None:
        """Give back what it holds; nothing may be under way."""
        ...


class PictureReader(Protocol):
    """Where pictures' bytes come from."""

    def read(self, picture: Picture) -> FetchedPicture:
        """The picture and its key. `InvalidImage` as of `Picture.read`."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """An outcome, and the write of its picture into the image store while that is under way."""

    outcome: PictureOutcome
    write: Future[None] | None = None


def settled(prepared: Iterator[PreparedPicture]) -> Iterator[PictureOutcome]:
    """The outcomes in their order, each once its picture is kept; raises why one cannot be.

    Meanwhile the next ones are prepared.
    """
    waiting: deque[PreparedPicture] = deque()
    for picture in prepared:
        waiting.append(picture)
        while waiting and (len(waiting) > _AHEAD or _is_written(waiting[0])):
            yield _settled(waiting.popleft())
    while waiting:
        yield _settled(waiting.popleft())


def _is_written(picture: PreparedPicture) -> bool:
    return picture.write is None or picture.write.done()


def _settled(picture: PreparedPicture) -> PictureOutcome:
    if picture.write is not None:
        picture.write.result()
    return picture.outcome


class PicturePreparation:
    """All that is done to a picture before a model sees it: read, checked, decoded, kept.

    Pictures are kept in threads of their own: writing one durably is a wait for the disk, as long
    as decoding, and the disk takes several at once in little more time than one.
    """

    def __init__(
        self, reader: PictureReader, images: ImageStore, rules: PictureRules, limits: ImageLimits
    ) -> None:
        self._reader, self._images, self._rules = reader, images, rules
        self._limits = limits
        self._keeping = ThreadPoolExecutor(_AHEAD, thread_name_prefix="keep")

    def prepare(self, task: PictureTask) -> PreparedPicture:
        """The outcome, with levels as pixels; what is wrong with the picture is its refusal."""
        clock = Clock()
        try:
            return self._prepared(task, clock)
        except InvalidImage as error:
            return PreparedPicture(PictureOutcome(refusal=error, seconds=clock.seconds))

    def close(self) -> None:
        """Wait for the last pictures to be kept."""
        self._keeping.shutdown()

    def _prepared(self, task: PictureTask, clock: Clock) -> PreparedPicture:
        key, data = (task.key, None) if task.key is not None else self._read(task.picture, clock)
        if key in task.embedded:
            write = (
                None if data is None else self._keeping.submit(self._keep_lost, key, data, clock)
            )
            return PreparedPicture(PictureOutcome(key, seconds=clock.seconds), write)
        if data is None:
            key, data = self._stored(key, task.picture, clock)
        with clock.timed("decode"):
            image = decode(data, self._limits, at_least=self._rules.shorter_side)
        with clock.timed("preprocess"):
            pixels = self._rules.levels([image])[0]
        write = None
        if task.picture is not None:
            write = self._keeping.submit(self._keep, key, data, clock)
        outcome = PictureOutcome(
            key, pixels, size=image.size, warnings=image.warnings, seconds=clock.seconds
        )
        return PreparedPicture(outcome, write)

    def _keep(self, key: str, data: bytes, clock: Clock) -> None:
        with clock.timed("store"):
            self._images.put(data, key=key)

    def _keep_lost(self, key: str, data: bytes, clock: Clock) -> None:
        """Keep a picture that has a vector but is lost, as after a restore without pictures."""
        if not self._images.has(key):
            self._keep(key, data, clock)

    def _read(self, picture: Picture | None, clock: Clock) -> tuple[str, bytes | None]:
        if picture is None:
            raise InvalidImage("missing", "the picture is no longer in the image store")
        with clock.timed("fetch" if picture.url is not None else "load"):
            read = self._reader.read(picture)
        return read.key, read.data

    def _stored(self, key: str, picture: Picture | None, clock: Clock) -> tuple[str, bytes]:
        """From the image store, or read again; what an address holds may be another picture now."""
        try:
            return key, self._images.get(key)
        except NotFound:
            key, data = self._read(picture, clock)
            return key, data or b""


class LocalPictureWork:
    """Works in the thread that calls."""

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
        return settled(map(self._preparation.prepare, tasks))

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        """The forward pass."""
        return self._embedder.embed_pixels(np.stack(pixels))

    def close(self) -> None:
        """End the threads in which pictures are kept."""
        self._preparation.close()


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - began
