"""Files that appear whole or not at all and survive a power cut, and errors of the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import StorageUnavailable

__all__ = ["FULL_DISK", "atomic_write", "disk_errors", "make_folders", "sync_folder"]

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where a disk, or this user's share of it, has no room left."""


def atomic_write(path: Path, data: bytes) -> None:
    """Write or replace the file in one step, making its folders; `OSError` when the disk refuses.

    No reader and no crash ever sees a part of it: it is written aside, flushed to the disk,
    renamed, and the rename is flushed as well. When the call returns, the new content is durable.
    """
    part = f"{path}.{os.urandom(16).hex()}.part"  # text, which opens quicker than a Path
    try:
        file = open(part, "xb")  # noqa: SIM115  # closed below
    except FileNotFoundError:
        make_folders(path.parent)
        file = open(part, "xb")  # noqa: SIM115  # closed below
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """Make the folder and those above it that are missing, durably."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` into `StorageUnavailable`, which names the path and the remedy."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be used ({error.strerror or error});"
            " check the disk and the folder's permissions"
        ) from error
