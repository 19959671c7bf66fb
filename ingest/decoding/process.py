"""One decoding process as its parent sees it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ingest.children.process import ChildDied, ChildProcess
from ingest.children.program import Failed
from ingest.decoding.block import PixelBlock, unnamed_file
from ingest.decoding.program import DecoderSpec
from ingest.pipeline.picture_work import PictureOutcome, PictureTask
from vitrine.errors import VitrineError

__all__ = ["DecoderProcess", "DecoderUnavailable", "cannot_start"]

_PATIENCE_S = 300.0
"""Seconds for one chunk before the process is taken to hang: far above what the largest pictures
that the limits allow take, waiting for their share of the budget included."""
_START_S = 60.0
"""Seconds for Python to start."""
_STARTS = 3
"""A process that is killed while it starts, as by a system without memory, is started again."""


class DecoderUnavailable(VitrineError):
    """No decoding process can be started, so that nothing can be said of any picture."""


def cannot_start(error: Exception) -> DecoderUnavailable:
    """The error that says why, and which setting is to be changed."""
    return DecoderUnavailable(
        f"a decoding process cannot be started ({error}); lower VITRINE_DECODE_PROCESSES, which may"
        " be 0 to do without"
    )


class DecoderProcess:
    """Started when it is first needed and again after its death; for one thread at a time.

    `lock` is the descriptor that all processes of a work share.
    """

    def __init__(self, spec: DecoderSpec, lock: int) -> None:
        self._spec, self._lock = spec, lock
        self._child: ChildProcess | None = None
        self._block: PixelBlock | None = None
        self._is_ended = False

    @property
    def pid(self) -> int | None:
        """The number of the process while it runs."""
        return None if self._child is None else self._child.pid

    def outcomes(self, tasks: Sequence[PictureTask]) -> list[PictureOutcome]:
        """The outcome of each task, at most `places` of them; `ChildDied` without an answer.

        Raises what else went wrong there, such as `StorageUnavailable`.
        """
        child, block = self._started()
        try:
            child.send(list(tasks))
            answer = child.receive(_PATIENCE_S)
        except ChildDied:
            self._child = self._block = None
            raise
        if isinstance(answer, Failed):
            raise answer.error
        pixels = block.copy(sum(outcome.pixels is not None for outcome in answer))
        for outcome in answer:
            if outcome.pixels is not None:
                outcome.pixels = pixels[outcome.pixels]
        outcomes: list[PictureOutcome] = answer
        return outcomes

    def kill(self) -> None:
        """End the process for good under whoever uses it; safe from any thread."""
        self._is_ended = True
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End the process; it may be used again."""
        child = self._child
        self._child = self._block = None
        if child is not None:
            child.close()

    def _started(self) -> tuple[ChildProcess, PixelBlock]:
        starts = 0
        while self._child is None or self._block is None:
            if self._is_ended:
                raise ChildDied("was ended")
            starts += 1
            try:
                self._start()
            except (ChildDied, OSError) as error:
                self.close()
                if starts == _STARTS and not self._is_ended:
                    raise cannot_start(error) from error
        return self._child, self._block

    def _start(self) -> None:
        """Start the process and wait until it is ready; `ChildDied` or OSError when it is not."""
        places, shape = self._spec.places, self._spec.rules.shape
        descriptor = unnamed_file(PixelBlock.size(places, shape))
        try:
            block = PixelBlock(descriptor, places, shape)
            self._child = ChildProcess("ingest.decoding.program", (descriptor, self._lock))
        finally:
            os.close(descriptor)
        if self._is_ended:  # before there was anything to kill
            raise ChildDied("was ended")
        self._child.send(self._spec)
        self._child.receive(_START_S)
        self._block = block
