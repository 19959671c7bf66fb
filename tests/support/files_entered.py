"""Which of the project's own files a call enters, in the order of their first entry."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("vitrine", "service", "ingest")
FOLDERS = tuple(f"{ROOT / package}/" for package in PACKAGES)


class FilesEntered:
    """The files, relative to the project, each once; those that other threads enter count too."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def enter(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function of `sys.setprofile`."""
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(FOLDERS) and frame.f_code.co_name != "<module>":
            self.files.setdefault(str(Path(name).relative_to(ROOT)), None)

    def __str__(self) -> str:
        return f"{len(self.files)} files\n" + "\n".join(self.files)


def empty_caches() -> None:
    """Empty the caches of the project's functions: what they answer from one enters no file, and
    what is in it depends on the tests that ran before. Those without bounds, which hold what a
    process has once, stay."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in PACKAGES]
    for value in chain.from_iterable(vars(module).values() for module in modules):
        if isinstance(value, _lru_cache_wrapper) and value.cache_info().maxsize is not None:
            value.cache_clear()


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
