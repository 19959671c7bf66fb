"""What is done to a picture before a model sees it, as values that may travel to other processes.

The stages know only `PictureWork`.
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
from vitrine.errors import InvalidImage

__all__ = ["Clock", "PictureOutcome", "PictureReader", "PictureTask", "PictureWork"]


@dataclass(frozen=True)
class PictureTask:
    """A picture to be read, kept and turned into pixels.

    Like `PictureOutcome` it has no slots: frozen classes with slots are pickled field by field in
    Python.

    `key` is what it turned out to be when it was read before; its bytes are then in the image
    store, and without a `picture` only there. The vectors of `embedded` keys are known, so that
    no pixels are needed for them.
    """

    picture: Picture | None
    key: str | None = None
    embedded: frozenset[str] = frozenset()


@dataclass(eq=False)
class PictureOutcome:
    """What became of a task: a key, with pixels where they were needed, or a refusal.

    `pixels` are what the same `PictureWork` embeds, whatever they are; an outcome on its way
    between processes has their place in the shared block instead. `size` is the decoded picture's
    in pixels, `warnings` what was wrong with the file, `seconds` the work by stage.
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
    def out_of_process(self) -> bool:
        """Whether other processes of this machine decode; then one reads the source as well."""
        ...

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
