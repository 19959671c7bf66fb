"""Which of the project's own files a call enters, in the order of their first entry."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = tuple(f"{ROOT / package}/" for package in ("vitrine", "service", "ingest"))


class FilesEntered:
    """The files, relative to the project, each once; those that other threads enter count too."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def enter(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function of `sys.setprofile`."""
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(PACKAGES) and frame.f_code.co_name != "<module>":
            self.files.setdefault(str(Path(name).relative_to(ROOT)), None)

    def __str__(self) -> str:
        return f"{len(self.files)} files\n" + "\n".join(self.files)


@contextmanager
def files_entered() -> Iterator[FilesEntered]:
    """Follow everything that is called inside the block, in this thread and those it starts."""
    entered = FilesEntered()
    threading.setprofile(entered.enter)
    earlier: Callable[..., Any] | None = sys.getprofile()
    sys.setprofile(entered.enter)
    try:
        yield entered
    finally:
        sys.setprofile(earlier)
        threading.setprofile(None)  # type: ignore[arg-type]  # None ends it, as the docs say
