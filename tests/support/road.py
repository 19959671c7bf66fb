"""The road of a call: which of our own files it enters, in the order of their first entry."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
ROOMS = tuple(f"{ROOT / room}/" for room in ("vitrine", "service", "ingest"))


class Road:
    """The files entered, relative to the project, each once; all threads count."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def enter(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function of `sys.setprofile`."""
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(ROOMS) and frame.f_code.co_name != "<module>":
            self.files.setdefault(str(Path(name).relative_to(ROOT)), None)

    def __str__(self) -> str:
        return f"{len(self.files)} files\n" + "\n".join(self.files)


@contextmanager
def traced() -> Iterator[Road]:
    """Follow everything that is called inside the block, in this thread and those it starts."""
    road = Road()
    threading.setprofile(road.enter)
    earlier: Callable[..., Any] | None = sys.getprofile()
    sys.setprofile(road.enter)
    try:
        yield road
    finally:
        sys.setprofile(earlier)
        threading.setprofile(None)  # type: ignore[arg-type]  # None ends it, as the docs say
