"""Errors of the file system in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import StorageUnavailable

__all__ = ["disk_errors"]


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
