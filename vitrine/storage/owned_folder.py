"""Temporary folders that go with their process: what one that was killed has left, the next one
removes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["OwnedFolder"]


class OwnedFolder:
    """A new, empty folder `path` in `parent`, whose name begins with `prefix`.

    It is held (flock(2)) while this process or a child that it has forked lives, or until it is
    removed. Making one removes those of the same prefix that nobody holds. `OSError` when the disk
    refuses.
    """

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        for other in parent.glob(f"{prefix}*"):
            abandoned = _hold(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if abandoned is not None:
                shutil.rmtree(other, ignore_errors=True)
                os.close(abandoned)
        self.path, self._descriptor = _new(prefix, parent)

    def remove(self) -> None:
        """Remove it with all that is in it; may be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _new(prefix: str, parent: Path) -> tuple[Path, int | None]:
    """A new folder and the descriptor that holds it."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        # waits while another maker removes it: before it is held it looks abandoned
        descriptor = _hold(path, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        if descriptor is not None:
            os.close(descriptor)


def _hold(folder: Path, operation: int) -> int | None:
    """A descriptor that holds the folder; `operation` is flock's.

    None where somebody else does, or where it is another user's or has gone.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, operation)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
