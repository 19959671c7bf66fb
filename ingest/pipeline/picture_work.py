"""What is done to a picture before a model sees it, as values that may travel to other processes.

The stages know only `PictureWork`; here is the one that works in the threads that call it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
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
]


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


class PicturePreparation:
    """All that is done to a picture before a model sees it: read, checked, decoded, kept."""

    def __init__(
        self, reader: PictureReader, images: ImageStore, rules: PictureRules, limits: ImageLimits
    ) -> None:
        self._reader, self._images, self._rules = reader, images, rules
        self._limits = limits

    def outcome(self, task: PictureTask) -> PictureOutcome:
        """The outcome, with levels as pixels; what is wrong with the picture is its refusal."""
        clock = Clock()
        try:
            return self._prepared(task, clock)
        except InvalidImage as error:
            return PictureOutcome(refusal=error, seconds=clock.seconds)

    def _prepared(self, task: PictureTask, clock: Clock) -> PictureOutcome:
        key, data = (task.key, None) if task.key is not None else self._read(task.picture, clock)
        if key in task.embedded:
            return PictureOutcome(key, seconds=clock.seconds)
        if data is None:
            data = self._stored(key, task.picture, clock)
        with clock.timed("decode"):
            image = decode(data, self._limits, at_least=self._rules.shorter_side)
        if task.picture is not None:
            with clock.timed("store"):
                self._images.put(data)
        with clock.timed("preprocess"):
            pixels = self._rules.levels([image])[0]
        return PictureOutcome(
            key, pixels, size=image.size, warnings=image.warnings, seconds=clock.seconds
        )

    def _read(self, picture: Picture | None, clock: Clock) -> tuple[str, bytes | None]:
        if picture is None:
            raise InvalidImage("missing", "the picture is no longer in the image store")
        with clock.timed("fetch" if picture.url is not None else "load"):
            read = self._reader.read(picture)
        return read.key, read.data

    def _stored(self, key: str, picture: Picture | None, clock: Clock) -> bytes:
        try:
            return self._images.get(key)
        except NotFound:
            return self._read(picture, clock)[1] or b""


class LocalPictureWork:
    """Works in the thread that calls, one picture after the other."""

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
        return map(self._preparation.outcome, tasks)

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        """The forward pass."""
        return self._embedder.embed_pixels(np.stack(pixels))

    def close(self) -> None:
        """Nothing is held."""


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
