"""Text files of one record per line.

The readers of `datasets` for CSV and JSON are not used: they guess types ("00123" becomes 123, "NA"
becomes empty), and one broken line ends the whole file. Lines parsed one by one lose a broken line
and nothing else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ingest.sources.binary import blocks, open_binary
from ingest.sources.encodings import Encoding, detect_encoding
from vitrine.errors import InvalidInput

__all__ = ["TextFile", "broken_bytes"]

_MAX_LINE = 16_000_000
"""Characters of one line; a longer one comes in parts, each of which is then a broken record."""

_SURROGATE = re.compile("[\udc80-\udcff]")


class TextFile:
    """A text file, plain or compressed (.gz, .bz2, .xz): its lines, their number and encoding."""

    def __init__(self, path: Path, *, encoding: str | None = None) -> None:
        self.path = path
        self._encoding = encoding

    def lines(self) -> Iterator[str]:
        """All lines with their line breaks, as \\n.

        Bytes that the encoding lacks are lone surrogates (`surrogateescape`), so that they cost no
        more than the values that they stand in.
        """
        with open_binary(self.path) as file:
            text = io.TextIOWrapper(file, self.encoding.name, errors="surrogateescape")
            try:
                while line := text.readline(_MAX_LINE):
                    yield line
            except UnicodeError as error:
                raise InvalidInput.of(
                    "source", f"{self.path} cannot be read as {self.encoding.name}: {error}"
                ) from None
            finally:
                text.detach()

    @property
    def encoding(self) -> Encoding:
        """The encoding that the mapping names, else the one that the bytes show."""
        return self._measured[0]

    @property
    def breaks(self) -> int:
        """How many lines there are."""
        return self._measured[1]

    @cached_property
    def _measured(self) -> tuple[Encoding, int]:
        """The encoding and the number of lines, by one pass over the bytes."""
        counted = _Lines(blocks(self.path))
        declared = Encoding(self._encoding) if self._encoding else None
        encoding = declared or detect_encoding(counted)
        for _ in counted:  # what was not read to find out
            pass
        return encoding, counted.count + (counted.last != b"\n")


class _Lines:
    """Blocks of bytes, whose line breaks are counted as they pass."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.count = 0
        self.last = b"\n"

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.count += block.count(b"\n")
            self.last = block[-1:]
            yield block


def broken_bytes(text: str) -> bool:
    """Whether the text holds bytes that its file's encoding lacks."""
    return _SURROGATE.search(text) is not None
