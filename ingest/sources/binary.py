"""Opening a local file's bytes, compressed or not."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from vitrine.errors import InvalidInput

__all__ = ["COMPRESSED", "ReadMeter", "as_utf8", "blocks", "first_bytes", "open_binary"]

_DECOMPRESSING: Mapping[str, Callable[[IO[bytes]], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
COMPRESSED = tuple(_DECOMPRESSING)
_BLOCK = 1 << 20
_MARKS = {
    # those of UTF-32 first: one begins as that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BUFFER = 1 << 16


class ReadMeter:
    """How much of a file has been read; one thread reads, any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def open(self) -> IO[bytes]:
        """The file as it is on disk, to be read from its beginning."""
        return io.BufferedReader(self.open_unbuffered(), _BUFFER)

    def open_unbuffered(self) -> io.RawIOBase:
        """The same without a buffer, for random access: each seek would have it read anew."""
        self.begin()
        return _Metered(str(self._path), self)

    def begin(self) -> None:
        """Count from 0 again: what was read so far was only looked at."""
        self._read = 0

    def count(self, number: int) -> None:
        """Add bytes that were read."""
        self._read += number

    @property
    def share(self) -> float:
        """The share that has been read, 0 to 1, of a file that is read once from its beginning."""
        return min(1.0, self._read / max(1, self._path.stat().st_size))


class _Metered(io.FileIO):
    def __init__(self, name: str, meter: ReadMeter) -> None:
        super().__init__(name)
        self._meter = meter

    def readinto(self, buffer: Any) -> int | None:
        number = super().readinto(buffer)
        self._meter.count(number or 0)
        return number

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        self._meter.count(len(data))
        return data


@contextmanager
def open_binary(path: Path, meter: ReadMeter | None = None) -> Iterator[IO[bytes]]:
    """The file's bytes, decompressed by its ending; `InvalidInput` when they cannot be read."""
    try:
        with (meter or ReadMeter(path)).open() as stored:
            opened = _DECOMPRESSING.get(path.suffix.lower())
            if opened is None:
                yield stored
                return
            with opened(stored) as file:
                yield cast(IO[bytes], file)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
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


def as_utf8(file: IO[bytes]) -> IO[bytes]:
    """A file from its beginning as UTF-8 without a mark, where its mark tells of another Unicode:
    JSON is UTF-8 (RFC 8259), but programs of Windows write UTF-16."""
    start = file.read(4)
    file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
    name = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    return file if name is None else cast(IO[bytes], _Recoded(file, name))


class _Recoded:
    """Reads text of another encoding as UTF-8. (`codecs.EncodedFile` passes `readinto` through.)"""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._reader = codecs.getreader(name)(file)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, about so many; all of them by default."""
        return self._reader.read(size).encode()


def _unreadable(path: Path, error: Any) -> InvalidInput:
    return InvalidInput.of("source", f"{path} cannot be read: {error}")
