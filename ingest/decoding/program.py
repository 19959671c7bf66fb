"""The program of a decoding process: chunks of tasks come, their outcomes go, until nobody is
there any more. It loads neither a model nor an index."""

from __future__ import annotations

import hashlib
import pickle
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection
from typing import Protocol

from ingest.children.program import error_message, limit_memory
from ingest.decoding.block import PixelBlock
from ingest.pictures.naming import FetchedPicture, Picture
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from ingest.pipeline.preparation import PicturePreparation, PreparedPicture, settled
from vitrine.embedding.ports import PictureRules
from vitrine.errors import InvalidImage
from vitrine.freed_memory import keep_freed_memory
from vitrine.images.budget import Budget, BudgetAmongProcesses
from vitrine.images.decode import ImageLimits
from vitrine.images.ports import ImageStore
from vitrine.settings import FetchSettings

__all__ = ["DecoderSpec", "Preparation", "main"]

_NONE: Mapping[str, float] = {}
_SLACK = 256_000_000
"""Bytes of memory that a decoding process may take beside twice its budget of pixels: what fsspec
and libheif load on demand, and what libraries take on the side."""


class Preparation(Protocol):
    """Makes an outcome of each task."""

    def prepare(self, task: PictureTask) -> PreparedPicture:
        """The outcome, and the write of the picture while that is under way."""
        ...


@dataclass(frozen=True)
class DecoderSpec:
    """What a decoding process is sent once, when it starts.

    `places` is the number of pictures in its block, `processes` how many share the budget.
    """

    settings: FetchSettings
    images: ImageStore
    rules: PictureRules
    limits: ImageLimits
    places: int
    processes: int

    def preparation(self, memory: Budget) -> Preparation:
        """What prepares pictures there, large ones when `memory` lets them."""
        limits = replace(self.limits, memory=memory)
        return PicturePreparation(_Reader(self.settings), self.images, self.rules, limits)


class _Reader:
    """Reads files and bytes; what has an address was fetched before."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings

    def read(self, picture: Picture) -> FetchedPicture:
        """The picture and its key."""
        data = picture.read(self._settings)
        return FetchedPicture(hashlib.sha256(data).hexdigest(), data)


def main(socket: int, block: int, lock: int) -> None:
    """Answer until the other end of the socket is closed, by whatever end that process came to.

    It inherits its end of the socket, its block, and the file that large pictures lock.
    """
    keep_freed_memory()
    with Connection(socket) as connection:
        try:
            spec: DecoderSpec = connection.recv()
            pixels = PixelBlock(block, spec.places, spec.rules.shape)
            memory = BudgetAmongProcesses(lock, spec.processes)
            limit_memory(2 * spec.limits.budget + _SLACK)
            preparation = spec.preparation(memory)
            connection.send(True)  # ready
            while True:
                connection.send_bytes(_answer(connection.recv(), preparation, pixels))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _answer(tasks: Sequence[PictureTask], preparation: Preparation, block: PixelBlock) -> bytes:
    """The outcomes, pickled; the first one has the seconds of all, so that less is to be read."""
    outcomes: list[PictureOutcome] = []
    seconds: Counter[str] = Counter()
    try:
        places = count()
        for outcome in settled(_prepared(task, preparation) for task in tasks):
            if outcome.pixels is not None:
                place = next(places)
                block.put(place, outcome.pixels)
                outcome.pixels = place
            seconds.update(outcome.seconds)
            outcome.seconds = _NONE
            outcomes.append(outcome)
        outcomes[0].seconds = dict(seconds)
        return pickle.dumps(outcomes)
    except Exception as error:
        return error_message(error)


def _prepared(task: PictureTask, preparation: Preparation) -> PreparedPicture:
    try:
        return preparation.prepare(task)
    except MemoryError:
        message = "the picture needs more memory than a decoding process may take; save it smaller"
        return PreparedPicture(PictureOutcome(refusal=InvalidImage("too_complex", message)))
