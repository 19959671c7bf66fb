"""A picture read, checked, decoded and kept, in the process that calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ingest.pictures.naming import Picture
from ingest.pipeline.picture_work import Clock, PictureOutcome, PictureReader, PictureTask
from vitrine.cores import core_turns
from vitrine.embedding import PictureRules
from vitrine.errors import InvalidImage, NotFound
from vitrine.images.decode import ImageLimits, decode
from vitrine.images.ports import ImageStore

__all__ = ["PicturePreparation", "PreparedPicture", "settled"]

_AHEAD = 4
"""Pictures that may be on their way to the disk while their thread goes on."""
_IN_TURN = 8
"""Pictures that a thread decodes in one turn, some 60 milliseconds: as long as the forward pass of
the four that another thread has."""
_BYTES_IN_TURN = 16_000_000
"""Bytes of pictures that are held for one turn, unless one alone has more."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """The bytes of a task's picture, or why there are none; without either its vector is known."""

    task: PictureTask
    clock: Clock
    key: str = ""
    data: bytes | None = None
    refusal: InvalidImage | None = None


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
        return self._decoded(self._loaded(task))

    def prepare_in_turn(self, tasks: Iterable[PictureTask]) -> Iterator[PreparedPicture]:
        """As `prepare`, for some pictures at once: all are read, then decoded in one turn."""
        for part in _parts(map(self._loaded, tasks)):
            with core_turns():
                prepared = [self._decoded(each) for each in part]
            yield from prepared

    def close(self) -> None:
        """Wait for the last pictures to be kept."""
        self._keeping.shutdown()

    def _loaded(self, task: PictureTask) -> _Loaded:
        clock = Clock()
        try:
            return self._bytes_of(task, clock)
        except InvalidImage as error:
            return _Loaded(task, clock, refusal=error)

    def _bytes_of(self, task: PictureTask, clock: Clock) -> _Loaded:
        key, data = (task.key, None) if task.key is not None else self._read(task.picture, clock)
        if data is None and key not in task.embedded:
            key, data = self._stored(key, task.picture, clock)
        return _Loaded(task, clock, key, data)

    def _decoded(self, loaded: _Loaded) -> PreparedPicture:
        try:
            return self._prepared(loaded)
        except InvalidImage as error:
            outcome = PictureOutcome(refusal=error, seconds=loaded.clock.seconds)
            return PreparedPicture(outcome)

    def _prepared(self, loaded: _Loaded) -> PreparedPicture:
        task, clock, key, data = loaded.task, loaded.clock, loaded.key, loaded.data
        if loaded.refusal is not None:
            raise loaded.refusal
        if data is None or key in task.embedded:
            write = (
                None if data is None else self._keeping.submit(self._keep_lost, key, data, clock)
            )
            return PreparedPicture(PictureOutcome(key, seconds=clock.seconds), write)
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


def _parts(loaded: Iterable[_Loaded]) -> Iterator[list[_Loaded]]:
    part: list[_Loaded] = []
    size = 0
    for each in loaded:
        part.append(each)
        size += len(each.data or b"")
        if len(part) == _IN_TURN or size >= _BYTES_IN_TURN:
            yield part
            part, size = [], 0
    if part:
        yield part
