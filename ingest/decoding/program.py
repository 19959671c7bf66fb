"""The program of a decoding process: chunks of tasks come, their outcomes go, until nobody is
there any more. It loads neither a model nor an index."""

from __future__ import annotations

import hashlib
import pickle
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection
from typing import Protocol

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

__all__ = ["DecoderSpec", "Descriptors", "Failed", "Preparation", "main"]

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


@dataclass(frozen=True)
class Descriptors:
    """What it inherits: its end of the socket, its block, and the file that large pictures lock."""

    socket: int
    block: int
    lock: int


@dataclass(frozen=True)
class Failed:
    """An answer: an error that does not belong to one picture."""

    error: Exception


class _Reader:
    """Reads files and bytes; what has an address was fetched before."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings

    def read(self, picture: Picture) -> FetchedPicture:
        """The picture and its key."""
        data = picture.read(self._settings)
        return FetchedPicture(hashlib.sha256(data).hexdigest(), data)


def main(descriptors: Descriptors) -> None:
    """Answer until the other end of the socket is closed, by whatever end that process came to."""
    keep_freed_memory()
    with Connection(descriptors.socket) as connection:
        try:
            spec: DecoderSpec = connection.recv()
            block = PixelBlock(descriptors.block, spec.places, spec.rules.shape)
            memory = BudgetAmongProcesses(descriptors.lock, spec.processes)
            _limit_memory(2 * spec.limits.budget + _SLACK)
            preparation = spec.preparation(memory)
            connection.send(True)  # ready
            while True:
                connection.send_bytes(_answer(connection.recv(), preparation, block))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _answer(tasks: Sequence[PictureTask], preparation: Preparation, block: PixelBlock) -> bytes:
    outcomes: list[PictureOutcome] = []
    try:
        places = count()
        for outcome in settled(_prepared(task, preparation) for task in tasks):
            if outcome.pixels is not None:
                place = next(places)
                block.put(place, outcome.pixels)
                outcome.pixels = place
            outcomes.append(outcome)
        return pickle.dumps(outcomes)
    except Exception as error:
        return _error_message(error)


def _prepared(task: PictureTask, preparation: Preparation) -> PreparedPicture:
    try:
        return preparation.prepare(task)
    except MemoryError:
        message = "the picture needs more memory than a decoding process may take; save it smaller"
        return PreparedPicture(PictureOutcome(refusal=InvalidImage("too_complex", message)))


def _error_message(error: Exception) -> bytes:
    """The error as bytes; one that does not survive the journey by its words."""
    try:
        packed = pickle.dumps(Failed(error))
        pickle.loads(packed)  # noqa: S301  # our own bytes
    except Exception:  # whatever a foreign exception makes of it
        return pickle.dumps(Failed(RuntimeError(f"{type(error).__name__}: {error}")))
    return packed


def _limit_memory(more: int) -> None:
    """Let the process take so many bytes beyond what it has; on macOS there is no such limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a hostile picture fills no disk with cores
    if sys.platform != "linux":
        return
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[5])  # data and stack, proc(5)
    most = pages * resource.getpagesize() + more
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
