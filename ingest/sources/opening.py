"""From what the operator names to a source."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from ingest.sources.archive import unpack
from ingest.sources.files import FilesSource, matching
from ingest.sources.folder import IMAGE_ENDINGS, FolderSource
from ingest.sources.formats import ENDINGS, ending_of, is_archive, require_readable
from ingest.sources.hub import HubSource
from ingest.sources.ports import BrokenRow, LeftOutRow, Row, Source
from ingest.sources.remote import download, is_address
from ingest.sources.shaping import ShapedSource
from ingest.sources.stream import StreamSource
from vitrine.embedding.hub import is_name
from vitrine.errors import InvalidInput, SourceUnavailable
from vitrine.fields import Mapping
from vitrine.fields.source_table import SourceTable
from vitrine.settings import FetchSettings
from vitrine.storage.atomic import disk_errors
from vitrine.storage.owned_folder import OwnedFolder

__all__ = ["absolute_spec", "open_source"]


def open_source(spec: str, settings: FetchSettings, mapping: Mapping | None = None) -> Source:
    """The source of a path, a glob, a folder, an address, a data set's name, or "-" (NDJSON).

    Read as the mapping's [source] says; without a mapping all rows come as they are. What exists on
    this machine wins over the hub. `InvalidInput` says what was looked for.
    """
    if spec == "-" and mapping is not None and mapping.source.prices_of is not None:
        raise InvalidInput.of(
            "source",
            "standard input can be read once, and prices_of in the mapping reads the catalogue "
            "twice; save it in a file and name that",
        )
    opener = _Opener(settings, mapping)
    source = opener.open(spec)
    return source if mapping is None else ShapedSource(source, mapping)


def absolute_spec(spec: str) -> str:
    """What names the same source from every working folder: a relative path is made absolute."""
    path = Path(spec).expanduser().absolute()
    is_local = not is_address(spec) and (path.is_dir() or bool(matching(str(path))))
    return str(path) if is_local else spec


@lru_cache(maxsize=1)
def _stream(stream: BinaryIO) -> StreamSource:
    """One source for a stream, whoever opens it: what was read ahead is still there for the next,
    who has chosen a mapping by it."""
    return StreamSource(stream, Path.cwd())


class _Opener:
    def __init__(self, settings: FetchSettings, mapping: Mapping | None) -> None:
        self._settings = settings
        self._data_dir = settings.data_dir.absolute()
        self._table = mapping.source if mapping else SourceTable()
        self._expected = frozenset(mapping.heads() if mapping else ())

    def open(self, spec: str) -> Source:
        """The source as it is, not yet shaped by the mapping."""
        if spec == "-":
            return _stream(sys.stdin.buffer)
        if is_address(spec):
            file = download(spec, self._settings)
            if is_archive(file):
                return self._archive(spec, file)
            _require_content([file])
            source = FilesSource(spec, [file], self._table, self._expected)
            return _Remote(source, spec)
        path = Path(spec).expanduser().absolute()
        if path.is_dir():
            return self._folder(path)
        files = matching(str(path))
        if files:
            return self._files(str(path), files)
        if is_name(spec) and ending_of(path) is None:
            return HubSource(spec, self._data_dir)
        what = (
            f"a path or glob of {', '.join(ENDINGS)} or .zip, a folder, an https:// address, "
            "the name of a data set on the hub, or - for standard input"
        )
        raise InvalidInput.of("source", f"there is no {spec}; give {what}")

    def _folder(self, path: Path) -> Source:
        images = FolderSource(path)
        if next(images.rows(), None) is not None:
            return images
        return HubSource(str(path), self._data_dir, base=path)

    def _files(self, name: str, files: Iterable[Path]) -> Source:
        readable: list[Path] = []
        for file in files:
            if is_archive(file):
                return self._archive(name, file)
            if ending_of(file) is None and self._table.format is None:
                require_readable(file)
                raise InvalidInput.of(
                    "source", f"{file} is none of the formats {', '.join(ENDINGS)} or .zip"
                )
            readable.append(file)
        _require_content(readable)
        return FilesSource(name, readable, self._table, self._expected)

    def _archive(self, name: str, file: Path) -> Source:
        """The catalogue files of an archive; of one that holds pictures alone, these."""
        parent = self._data_dir / "sources"  # a folder of temporary files may be small, or memory
        with disk_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
            folder = OwnedFolder("unpacked-", parent)
        try:
            unpack(file, folder.path, (*ENDINGS, *IMAGE_ENDINGS))
        except BaseException:
            folder.remove()
            raise
        files = sorted(p for p in folder.path.rglob("*") if ending_of(p) is not None)
        pictures: Source = FolderSource(folder.path)
        catalogue = FilesSource(name, files, self._table, self._expected)
        return _Unpacked(catalogue if files else pictures, name, folder)


def _require_content(files: Sequence[Path]) -> None:
    """`SourceUnavailable` for files that hold nothing at all: whoever wrote them failed."""
    if files and not any(file.stat().st_size for file in files):
        raise SourceUnavailable.of("source", f"{files[0]} is empty")


class _Elsewhere:
    """What an archive or an address holds, under its own name."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self.name = name

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The columns of the files within."""
        return self._source.columns(needed)

    def count(self) -> int | None:
        """The rows of the files within."""
        return self._source.count()

    def share(self) -> float | None:
        """That of the files within."""
        return self._source.share()

    def notes(self) -> tuple[str, ...]:
        """What was guessed about the files within."""
        return self._source.notes()

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows of the files within."""
        return self._source.rows()

    def detached(self) -> Source | None:
        """The files within, which stay with this object."""
        source = self._source.detached()
        return None if source is None else _Elsewhere(source, self.name)


class _Unpacked(_Elsewhere):
    """An archive's files; their folder goes when nobody reads them any more."""

    def __init__(self, source: Source, name: str, folder: OwnedFolder) -> None:
        super().__init__(source, name)
        weakref.finalize(self, folder.remove)


class _Remote(_Elsewhere):
    """A catalogue from an address, which may not name files of this machine."""

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows, without a folder where relative names begin."""
        for row in super().rows():
            yield replace(row, base=None) if isinstance(row, Row) else row

    def detached(self) -> Source | None:
        """The downloaded file."""
        source = self._source.detached()
        return None if source is None else _Remote(source, self.name)
