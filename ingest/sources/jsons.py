"""JSON files: one object per line, or one list of objects."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec

from ingest.sources.lines import TextFile
from ingest.sources.ports import Record
from vitrine.errors import InvalidInput
from vitrine.extras import needs

__all__ = ["JsonArrayReader", "JsonLinesReader", "parse_lines", "seen_columns", "starts_list"]


def parse_lines(lines: Iterable[str]) -> Iterator[Record]:
    """One record per line that is not blank."""
    for line in lines:
        if line.strip():
            yield _object(line)


def _object(line: str) -> Record:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is no valid JSON: {error}"
    return (
        value
        if isinstance(value, dict)
        else f"the line is no JSON object but {type(value).__name__}"
    )


def seen_columns(records: Iterable[Record], wanted: Collection[str]) -> Collection[str]:
    """The keys of the records, read until all that are wanted have been seen."""
    found: dict[str, None] = {}
    missing = set(wanted)
    for record in records:
        if isinstance(record, str):
            continue
        found.update(dict.fromkeys(record))
        missing -= record.keys()
        if not missing:
            break
    return tuple(found)


def starts_list(path: Path) -> bool:
    """Whether the file begins with a JSON list."""
    try:
        with fsspec.open(str(path), "rb", compression="infer") as file:
            start: bytes = file.read(4096)
    except (OSError, EOFError, ValueError) as error:
        raise InvalidInput.of("source", f"{path} cannot be read: {error}") from None
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


class JsonLinesReader:
    """A file of one JSON object per line."""

    def __init__(self, path: Path, data_dir: Path) -> None:
        self._file = TextFile(path, data_dir, otherwise="utf-8-sig")

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The keys, read until all that are wanted have been seen."""
        return seen_columns(self.records(), wanted)

    def count(self) -> int | None:
        """Lines, blank ones too."""
        return self._file.breaks

    def records(self) -> Iterator[Record]:
        """One record per line."""
        return parse_lines(self._file.lines())


class JsonArrayReader:
    """A file that is one list of objects; `datasets` would hold all of it in memory, ijson holds one object."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self, wanted: Collection[str]) -> Collection[str]:
        """The keys, read until all that are wanted have been seen."""
        return seen_columns(self.records(), wanted)

    def count(self) -> int | None:
        """Unknown."""
        return None

    def records(self) -> Iterator[Record]:
        """One record per object; the format gives no way to go on after a syntax error, so that is the last record."""
        with needs("catalogues", "reading a JSON list"):
            import ijson

        with fsspec.open(str(self._path), "rb", compression="infer") as file:
            found = iter(ijson.items(_without_mark(file), "item", use_float=True))
            for place in itertools.count():
                try:
                    value: Any = next(found)
                except StopIteration:
                    return
                except (ijson.JSONError, ValueError) as error:
                    yield f"from entry {place} on the file is no valid JSON: {error}"
                    return
                yield (
                    value
                    if isinstance(value, dict)
                    else f"the entry is no JSON object but {type(value).__name__}"
                )


def _without_mark(file: Any) -> Any:
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    return file
