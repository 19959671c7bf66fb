"""Which format a file has: by the mapping, by its ending, else by its content."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.sources.binary import COMPRESSED, as_utf8, first_bytes, open_binary
from ingest.sources.delimited import DelimitedReader
from ingest.sources.json_items import find_items
from ingest.sources.jsons import JsonDocumentReader, JsonLinesReader
from ingest.sources.parquet import ParquetReader
from ingest.sources.ports import Reader
from ingest.sources.spreadsheet import SpreadsheetReader
from ingest.sources.xml import XmlReader
from vitrine.errors import InvalidInput
from vitrine.fields.source_table import Format, SourceTable

__all__ = ["ENDINGS", "ending_of", "is_archive", "reader_of", "require_readable"]

ENDINGS: Mapping[str, Format | None] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": None,
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": None,
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
    ".yml": "xml",
    ".xlsx": "xlsx",
}
"""File name ending -> format; None where the content decides (.json is a document or lines)."""

_START = 1 << 16
_EMPTY_LIST = re.compile(rb'\{\s*"[^"]*"\s*:\s*\[\s*\]\s*\}\s*$')
"""What an API answers that has no products: {"products": []}."""
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How Excel's files before 2007 begin, and those with a password."""


def ending_of(path: Path) -> str | None:
    """The ending that says how to read the file (of products.csv.gz .csv), None for others."""
    name = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    ending = name.suffix.lower()
    return ending if ending in ENDINGS or ending == ".zip" else None


def is_archive(path: Path) -> bool:
    """Whether the file is a ZIP archive of catalogues, and not a spreadsheet."""
    return first_bytes(path, 4) == _ZIP and _of_content(path) == "zip"


def require_readable(path: Path) -> None:
    """Refuse what is no catalogue, whatever the file is called: a page, or an old spreadsheet."""
    start = first_bytes(path, _START)
    if _PAGE.match(start):
        raise InvalidInput.of(
            "source",
            f"{path} is a page of HTML and not a catalogue; look whether its address is right and"
            " asks for no login",
        )
    if start.startswith(_OLE):
        raise InvalidInput.of(
            "source",
            f"{path} is an Excel file of the old format, or one with a password; save it as .xlsx"
            " without a password",
        )


def reader_of(path: Path, table: SourceTable, expected: frozenset[str]) -> Reader:
    """The reader of a file; `expected` are the columns that the mapping names."""
    require_readable(path)
    kind = table.format or ENDINGS.get(ending_of(path) or "") or _of_content(path)
    if kind == "csv" and first_bytes(path, 4) == _ZIP:  # a workbook that was only renamed
        kind = "xlsx"
    return _READERS[kind](path, table, expected)


def _of_content(path: Path) -> str:
    """What the beginning of the file looks like; text that is nothing else is delimited."""
    start = first_bytes(path, _START)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(_ZIP):
        return "xlsx" if _is_workbook(path) else "zip"
    text = as_utf8(io.BytesIO(start)).read().lstrip()
    if text.startswith(b"<"):
        return "xml"
    if text.startswith(b"["):
        return "json"
    return _json(path, text) if text.startswith(b"{") else "csv"


def _json(path: Path, text: bytes) -> str:
    """Lines when a second one is an object as well, or when one object is all there is."""
    lines = [line for line in text.split(b"\n") if line.strip()]
    if len(lines) > 1 and lines[1].lstrip().startswith(b"{") and not lines[0].endswith(b"["):
        return "jsonl"
    with open_binary(path) as file:
        if find_items(as_utf8(file)) is not None:
            return "json"
    return "jsonl" if text.rstrip().count(b"\n") == 0 and not _EMPTY_LIST.match(text) else "json"


def _is_workbook(path: Path) -> bool:
    """Whether a ZIP file is a spreadsheet (ISO/IEC 29500-2: it lists the types of its parts)."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


_READERS: Mapping[str, Callable[[Path, SourceTable, frozenset[str]], Reader]] = {
    "csv": DelimitedReader,
    "tsv": DelimitedReader,
    "json": lambda path, table, _: JsonDocumentReader(path, table),
    "jsonl": lambda path, table, _: JsonLinesReader(path, table),
    "xml": lambda path, table, _: XmlReader(path, table),
    "xlsx": SpreadsheetReader,
    "parquet": lambda path, *_: ParquetReader(path),
}
