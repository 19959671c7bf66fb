"""Text files of one record per line, read through the line streamer of `datasets`.

Its readers for CSV and JSON are not used: they guess types ("00123" becomes 123, "NA" becomes empty), and one broken line
ends the whole file. Lines parsed one by one lose a broken line and nothing else.
"""

from __future__ import annotations

import codecs
import glob
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import fsspec

from vitrine.errors import InvalidInput

__all__ = ["TextFile"]

_BLOCK = 1 << 20


class TextFile:
    """A text file, plain or compressed (.gz, .bz2, .xz), with its lines, their number and their encoding.

    UTF-8, UTF-16 with its mark, or else what `otherwise` names.
    """

    def __init__(self, path: Path, data_dir: Path, *, otherwise: str) -> None:
        self.path = path
        self._otherwise = otherwise
        self._data_dir = data_dir

    def lines(self) -> Iterator[str]:
        """All lines with their line breaks, as \\n; bytes that the encoding lacks are written as \\xNN."""
        from ingest.sources.library import streamed

        rows = streamed(
            "text",
            data_dir=self._data_dir,
            data_files=[glob.escape(str(self.path))],
            split="train",
            keep_linebreaks=True,
            encoding=self.encoding,
            encoding_errors="backslashreplace",
            chunksize=_BLOCK,
        )
        for row in rows:
            yield row["text"]

    @property
    def encoding(self) -> str:
        """Name of the encoding for `open`."""
        return self._measured[0]

    @property
    def breaks(self) -> int:
        """How many lines there are."""
        return self._measured[1]

    @cached_property
    def _measured(self) -> tuple[str, int]:
        """One quick pass over the bytes."""
        utf8 = codecs.getincrementaldecoder("utf-8")()
        encoding, lines, last = "utf-8-sig", 0, b"\n"
        try:
            with fsspec.open(str(self.path), "rb", compression="infer") as file:
                for number, block in enumerate(iter(lambda: file.read(_BLOCK), b"")):
                    if number == 0 and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                        encoding = "utf-16"
                    if encoding == "utf-8-sig":
                        encoding = encoding if _goes_on(utf8, block) else self._otherwise
                    lines, last = lines + block.count(b"\n"), block[-1:]
        except (OSError, EOFError, ValueError) as error:
            raise InvalidInput.of("source", f"{self.path} cannot be read: {error}") from None
        return encoding, lines + (last != b"\n")


def _goes_on(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True
