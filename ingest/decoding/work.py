"""Pictures prepared by decoding processes, embedded here."""

from __future__ import annotations

import logging
import os
import queue
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.children.process import ChildDied
from ingest.decoding.block import unnamed_file
from ingest.decoding.process import DecoderProcess, cannot_start
from ingest.decoding.program import DecoderSpec
from ingest.pictures import Picture
from ingest.pipeline.picture_work import Clock, PictureOutcome, PictureReader, PictureTask
from vitrine.embedding import Embedder
from vitrine.errors import Cancelled, InvalidImage

__all__ = ["PLACES", "ProcessPictureWork"]

_log = logging.getLogger(__name__)

PLACES = 16
"""Pictures that a process is handed at once: 2.4 MB of pixels at 224 x 224."""
_BYTES = 16_000_000
"""Bytes of pictures that are sent to a process at once, unless one alone has more."""
_TICK_S = 0.5
"""Seconds between checks for closing, in a thread that waits for a process."""
_PATIENCE_S = 30.0
"""Seconds for the thread that uses a process to notice that it was ended."""


class ProcessPictureWork:
    """A `PictureWork` whose tasks go to processes, and whose addresses are fetched by the threads
    that call.

    A chunk whose process dies is tried again picture by picture in a new one; the picture at which
    that dies, too, is refused with reason `ended_decoder`.
    """

    out_of_process = True
    """The process that has the model is what bounds the rate where others decode."""
    chunk = PLACES
    """Products prepared together."""
    batches = 2
    """While one batch runs, the next is collected and started."""

    def __init__(self, spec: DecoderSpec, fetcher: PictureReader, embedder: Embedder) -> None:
        self._fetcher, self._embedder = fetcher, embedder
        self._lock = _shared_lock()
        self._processes = [DecoderProcess(spec, self._lock) for _ in range(spec.processes)]
        self._idle: queue.LifoQueue[DecoderProcess] = queue.LifoQueue()
        for process in reversed(self._processes):  # the last one used is warm: take it first
            self._idle.put(process)
        self._closing = threading.Event()
        self._end = weakref.finalize(self, _end_all, self._processes, self._lock)
        self.chunks = 2 * spec.processes + 1
        self.nodes: Mapping[str, int] = {}

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [process.pid for process in self._processes if process.pid is not None]

    def prepare(self, tasks: Sequence[PictureTask]) -> Iterator[PictureOutcome]:
        """The outcome of each task, in order."""
        for part in self._parts(tasks):
            yield from self._outcomes(part)

    def embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        """The forward pass."""
        return self._embedder.embed_pixels(np.stack(pixels))

    def close(self) -> None:
        """End the processes; what is under way in them fails with `Cancelled`."""
        if self._closing.is_set():
            return
        self._closing.set()
        for process in self._processes:
            process.kill()
        with suppress(queue.Empty):  # a thread that hangs elsewhere keeps its process; that is dead
            for _ in self._processes:
                self._idle.get(timeout=_PATIENCE_S)
        self._end()

    def _parts(self, tasks: Sequence[PictureTask]) -> Iterator[list[_Step]]:
        part: list[_Step] = []
        size = 0
        for task in tasks:
            step = self._fetched(task)
            part.append(step)
            size += step.size
            if len(part) == PLACES or size >= _BYTES:
                yield part
                part, size = [], 0
        if part:
            yield part

    def _fetched(self, task: PictureTask) -> _Step:
        """A task that needs no address any more; or its outcome, where fetching it says all."""
        if task.key is not None or task.picture is None or task.picture.url is None:
            return _Step(task)
        clock = Clock()
        try:
            with clock.timed("fetch"):
                read = self._fetcher.read(task.picture)
        except InvalidImage as error:
            return _Step(None, PictureOutcome(refusal=error, seconds=clock.seconds))
        if read.key in task.embedded:
            return _Step(None, PictureOutcome(read.key, seconds=clock.seconds))
        if read.data is None:
            return _Step(replace(task, key=read.key), seconds=clock.seconds)
        return _Step(replace(task, picture=Picture(data=read.data)), seconds=clock.seconds)

    def _outcomes(self, part: Sequence[_Step]) -> Iterator[PictureOutcome]:
        tasks = [step.task for step in part if step.task is not None]
        answers = iter(self._answers(tasks) if tasks else ())
        for step in part:
            yield step.outcome if step.outcome is not None else step.with_fetch(next(answers))

    def _answers(self, tasks: Sequence[PictureTask]) -> list[PictureOutcome]:
        with self._process() as process:
            try:
                return process.outcomes(tasks)
            except ChildDied as error:
                self._check()
                _log.warning("a decoding process %s; its pictures are tried one by one", error)
            return [self._alone(process, task) for task in tasks]

    def _alone(self, process: DecoderProcess, task: PictureTask) -> PictureOutcome:
        try:
            return process.outcomes([task])[0]
        except ChildDied as error:
            self._check()
            message = f"the process that decoded the picture {error}; export the picture again"
            return PictureOutcome(refusal=InvalidImage("ended_decoder", message))

    @contextmanager
    def _process(self) -> Iterator[DecoderProcess]:
        """A decoding process that no other thread uses."""
        while True:
            self._check()
            try:
                process = self._idle.get(timeout=_TICK_S)
                break
            except queue.Empty:
                continue
        try:
            yield process
        finally:
            self._idle.put(process)

    def _check(self) -> None:
        if self._closing.is_set():
            raise Cancelled("the pictures' processes are being ended")


def _shared_lock() -> int:
    """The descriptor of the file that large pictures lock; `DecoderUnavailable` without room."""
    try:
        return unnamed_file(1)
    except OSError as error:
        raise cannot_start(error) from error


def _end_all(processes: Sequence[DecoderProcess], lock: int) -> None:
    for process in processes:
        process.close()
    os.close(lock)


@dataclass(frozen=True, slots=True)
class _Step:
    """A task for a process, or the outcome of one that needs none; `seconds` went to fetching."""

    task: PictureTask | None
    outcome: PictureOutcome | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that have to be sent."""
        picture = None if self.task is None else self.task.picture
        return 0 if picture is None or picture.data is None else len(picture.data)

    def with_fetch(self, outcome: PictureOutcome) -> PictureOutcome:
        """The outcome of the task, with what fetching took."""
        if not self.seconds:
            return outcome
        return replace(outcome, seconds={**self.seconds, **outcome.seconds})
