"""Whether everything that searches need has been loaded.

Until then searches get 503 at once and occupy no thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from vitrine.errors import (
    IndexUnavailable,
    InvalidSettings,
    ModelLoading,
    ModelUnavailable,
    NoLiveVersion,
    VitrineError,
)
from vitrine.serving import run_once
from vitrine.wiring import Vitrine

__all__ = ["WarmUp", "warm"]

log = logging.getLogger(__name__)

_AGAIN_S = 5.0
"""Seconds after a failed warm-up until the next attempt."""
_LOADING = "the model is being loaded; try again soon"
_UNEXPECTED = "the index and its model cannot be loaded; see the service's log"


@dataclass
class WarmUp:
    """How far a serving process has warmed up; it is ready where nothing warms it up."""

    obstacle: VitrineError | None = None
    """Why no search can be answered yet."""
    load: Callable[[Vitrine], None] | None = None
    """What to load; None: the live version and its model."""
    _detector_loaded: bool = field(default=False)
    _detector_lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Mark the model as being loaded."""
        self.obstacle = ModelLoading(_LOADING)

    def require(self) -> None:
        """Raise the reason why searches cannot be answered yet."""
        if self.obstacle is not None:
            raise self.obstacle.with_traceback(None)

    def run(
        self, vitrine: Vitrine, ended: threading.Event, first_try: Callable[[VitrineError], bool]
    ) -> bool:
        """Load until that succeeds, which is True, or the process ends, which is False.

        `first_try` is told why the first try failed, and whether to go on is what it answers.
        """
        attempts = 0
        while not ended.is_set():
            attempts += 1
            obstacle = _obstacle(vitrine, self.load or warm)
            if obstacle is None:
                self.obstacle = None
                return True
            if attempts == 1 and not first_try(obstacle):
                return False
            self._tell(obstacle)
            self.obstacle = obstacle
            ended.wait(_AGAIN_S)
        return False

    def _tell(self, obstacle: VitrineError) -> None:
        if str(obstacle) != str(self.obstacle):
            log.warning("not ready yet, trying again: %s", obstacle)

    @contextmanager
    def loading_detector(self) -> Iterator[None]:
        """For the first request that needs the detector; `ModelLoading` for others meanwhile."""
        if self._detector_loaded:
            yield
            return
        if not self._detector_lock.acquire(blocking=False):
            raise ModelLoading("the detector is being loaded; try again soon")
        try:
            yield
            self._detector_loaded = True
        finally:
            self._detector_lock.release()


def warm(vitrine: Vitrine) -> None:
    """Prepare the live version and its model, or the configured model while nothing is live."""
    try:
        vitrine.live.current().warm()
    except NoLiveVersion as error:
        run_once(vitrine.embedder)
        log.warning("searches answer 503 for now: %s", error)


def _obstacle(vitrine: Vitrine, load: Callable[[Vitrine], None]) -> VitrineError | None:
    try:
        load(vitrine)
    except (ModelUnavailable, InvalidSettings) as error:
        return error
    except VitrineError as error:
        return error
    except Exception:
        log.exception("the warm-up failed")
        return IndexUnavailable(_UNEXPECTED)
    return None
