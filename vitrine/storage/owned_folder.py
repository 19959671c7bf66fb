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
            abandoned = _hold(other)
            if abandoned is not None:
                shutil.rmtree(other, ignore_errors=True)
                os.close(abandoned)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._descriptor = _hold(self.path)

    def remove(self) -> None:
        """Remove it with all that is in it; may be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _hold(folder: Path) -> int | None:
    """A descriptor that holds the folder.

    None where somebody else does, or where it is another user's or has gone.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
