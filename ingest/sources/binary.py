"""Opening a local file's bytes, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import fsspec

from vitrine.errors import InvalidInput

__all__ = ["COMPRESSED", "blocks", "first_bytes", "open_binary"]

COMPRESSED = (".gz", ".bz2", ".xz")
_BLOCK = 1 << 20


@contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, decompressed by its ending; `InvalidInput` when they cannot be read."""
    try:
        compression = "infer" if path.suffix.lower() in COMPRESSED else None
        with fsspec.open(str(path), "rb", compression=compression) as file:
            yield cast(IO[bytes], file)
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from None


def blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes from the beginning, a megabyte at a time."""
    with open_binary(path) as file:
        while block := file.read(_BLOCK):
            yield block


def first_bytes(path: Path, count: int = 4096) -> bytes:
    """The beginning of the file."""
    with open_binary(path) as file:
        return file.read(count)


def _unreadable(path: Path, error: Any) -> InvalidInput:
    return InvalidInput.of("source", f"{path} cannot be read: {error}")
