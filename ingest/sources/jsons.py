"""JSON files: one object per line, or a list of objects somewhere in one document."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ingest.sources.binary import as_utf8, first_bytes, open_binary
from ingest.sources.columns import seen_columns
from ingest.sources.document import DocumentReader
from ingest.sources.json_items import KEYED, find_items
from ingest.sources.lines import TextFile, broken_bytes
from ingest.sources.ports import Record
from vitrine.errors import SourceUnavailable
from vitrine.extras import needs
from vitrine.fields.source_table import SourceTable

__all__ = ["JsonDocumentReader", "JsonLinesReader", "parse_lines"]


def parse_lines(lines: Iterable[str]) -> Iterator[Record]:
    """One record per line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parsed(line, f"line {number}")


def _parsed(line: str, place: str) -> Record:
    if broken_bytes(line):
        return Record(place, error="the line is not valid JSON: it holds bytes that are not UTF-8")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Record(place, error=f"the line is not valid JSON: {error}")
    return as_record(value, place, "line")


def as_record(value: Any, place: str, thing: str) -> Record:
    """The record of a JSON value, which must be an object."""
    if isinstance(value, Mapping):
        return Record(place, value)
    return Record(place, error=f"the {thing} is not a JSON object but {type(value).__name__}")


class JsonLinesReader:
    """A file of one JSON object per line."""

    def __init__(self, path: Path, table: SourceTable) -> None:
        self._file = TextFile(path, encoding=table.encoding or _unless_marked(path))

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The keys, read until all that are needed have been seen."""
        return seen_columns((record.values for record in self.records()), needed)

    def count(self) -> int | None:
        """Lines, blank ones too."""
        return self._file.breaks

    def share(self) -> float | None:
        """Unknown: the rows are counted."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing: JSON is UTF-8 (RFC 8259, 8.1)."""
        return ()

    def records(self) -> Iterator[Record]:
        """One record per line."""
        return parse_lines(self._file.lines())


def _unless_marked(path: Path) -> str | None:
    return None if first_bytes(path, 2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


class JsonDocumentReader(DocumentReader):
    """A file that is one JSON document; the rows are a list in it, read one object at a time.

    `datasets` would hold all of it in memory, ijson holds one object.
    """

    def __init__(self, path: Path, table: SourceTable) -> None:
        super().__init__(path, table)
        self._prefix: str | None = None

    def notes(self) -> tuple[str, ...]:
        """Where the rows are, unless the document is a list of them or the mapping says it."""
        prefix = self._items()
        if self._table.items or prefix == "item":
            return ()
        where = re.sub(r"\.item(?=\.|$)", "[]", prefix) or "the whole document"
        if where.endswith(KEYED):
            where = f"the members of {where.removesuffix(KEYED) or 'the document'}"
        return (f"the rows are {where}; set items in [source] where they are not",)

    def records(self) -> Iterator[Record]:
        """One record per object.

        The format gives no way to go on after a syntax error, so that is the last record.
        """
        with needs("catalogues", "reading a JSON document"):
            import ijson

        prefix = self._items()
        with open_binary(self._path, self._meter) as file:
            values = _values(as_utf8(file), prefix)
            number = 0
            while True:
                number += 1
                try:
                    value: Any = next(values)
                except StopIteration:
                    return
                except (ijson.JSONError, ValueError) as error:
                    fault = str(error).splitlines()[0]  # a drawing of the place follows
                    message = f"from entry {number} on the file is not valid JSON: {fault}"
                    yield Record(f"entry {number}", error=message)
                    return
                yield as_record(value, f"entry {number}", "entry")

    def _items(self) -> str:
        """The path of the rows as ijson writes it."""
        if self._prefix is None:
            self._prefix = self._path_of_items()
        return self._prefix

    def _path_of_items(self) -> str:
        if self._table.items:
            return ijson_path(self._table.items)
        with open_binary(self._path) as file:
            prefix = find_items(as_utf8(file))
        if prefix is None:
            raise SourceUnavailable.of(
                "source",
                f"{self._path} holds no list of JSON objects; "
                "where they are nested deeper, set items in [source]",
            )
        return prefix


def _values(file: IO[bytes], prefix: str) -> Iterator[Any]:
    """The values at a path as `find_items` writes it, one at a time."""
    import ijson

    if not prefix.endswith(KEYED):
        values = ijson.items(file, prefix, use_float=True)
        yield from (
            map(_unwrapped, values)
            if prefix.endswith(("edges.item.node", "nodes.item"))
            else values
        )
        return
    for key, value in ijson.kvitems(file, prefix.removesuffix(KEYED), use_float=True):
        yield {"id": key, **value} if isinstance(value, dict) else value


def _unwrapped(value: Any) -> Any:
    """A value of a GraphQL answer with its connections as plain lists of their nodes."""
    if isinstance(value, list):
        return [_unwrapped(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("edges"), list):
        return [_unwrapped(edge.get("node")) for edge in value["edges"] if isinstance(edge, dict)]
    if isinstance(value.get("nodes"), list):
        return _unwrapped(value["nodes"])
    return {name: _unwrapped(entry) for name, entry in value.items()}


def ijson_path(path: str) -> str:
    """The path of a mapping ("products[]", "data.items[]", "products{}") as `find_items` writes
    it."""
    prefix = path.replace("[]", ".item").strip(".")
    return prefix if prefix.endswith(("item", "item.node", KEYED)) else f"{prefix}.item"
