"""Catalogues at an address: downloaded into the data folder, and only when they have changed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ingest.sources.formats import ending_of
from vitrine.errors import InvalidImage, InvalidInput, SourceUnavailable
from vitrine.images.fetch import BUSY, USER_AGENT, FetchAnswer, Fetcher, pause_s
from vitrine.settings import FetchSettings
from vitrine.storage.atomic import atomic_write, disk_errors

__all__ = ["download", "is_address"]

_FRESH_S = 300.0
"""Seconds in which this process does not ask again for a catalogue that it has just fetched."""
_ENDINGS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/zip": ".zip",
    "application/gzip": ".csv.gz",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
"""Media types of catalogues; by others, the file's content decides."""
_PASSING = ("unreachable", "too_slow")
"""Reasons of the fetcher that are the host's, and may be gone tomorrow."""
_fresh: dict[str, tuple[float, Path]] = {}


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a host said of the version that is here, and the name of the file that holds it."""

    file: str
    etag: str | None = None
    last_modified: str | None = None


def is_address(spec: str) -> bool:
    """Whether the operator names an address and not a file."""
    return spec.lower().startswith(("http://", "https://"))


def download(url: str, settings: FetchSettings) -> Path:
    """The catalogue's file, fetched unless the host says that it has not changed.

    It goes where pictures may be fetched from and nowhere else. A host that is busy is asked again
    as often as for pictures. `SourceUnavailable` when it does not answer with the catalogue in
    time; `InvalidInput` for an address that may not be asked, and for too large a catalogue;
    `StorageUnavailable` when the disk refuses.
    """
    fetched = _fresh.get(url)
    if fetched is not None:
        at, path = fetched
        if time.monotonic() - at < _FRESH_S and path.exists():
            return path
    folder = (
        settings.data_dir.absolute() / "sources" / hashlib.sha256(url.encode()).hexdigest()[:32]
    )
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path = _downloaded(url, folder, settings)
    _fresh[url] = (time.monotonic(), path)
    return path


def _downloaded(url: str, folder: Path, settings: FetchSettings) -> Path:
    mark = _mark(folder)
    fetcher = Fetcher(
        private=settings.fetch_private,
        timeout_s=settings.source_timeout_s,
        most_bytes=int(settings.max_source_gb * 1_000_000_000),
        user_agent=settings.fetch_user_agent or USER_AGENT,
    )
    number, name = tempfile.mkstemp(dir=folder, prefix="part-")
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            answer = _fetch_with_retries(
                fetcher, url, file, conditions=_conditions(mark), settings=settings
            )
            file.flush()
            os.fsync(file.fileno())
        if answer.status == 304 and mark is not None:
            return folder / mark.file
        if answer.status != 200:
            raise SourceUnavailable.of(
                "source", f"the address {url} answers with status {answer.status}"
            )
        return _store(part, folder, url, answer)
    except InvalidImage as error:
        kind = SourceUnavailable if error.reason in _PASSING else InvalidInput
        raise kind.of("source", error.errors[0].message) from None
    finally:
        part.unlink(missing_ok=True)
        fetcher.close()


def _fetch_with_retries(
    fetcher: Fetcher,
    url: str,
    file: IO[bytes],
    *,
    conditions: Sequence[tuple[str, str]],
    settings: FetchSettings,
) -> FetchAnswer:
    """The host's last answer, after as many tries as the settings allow."""
    attempt = 1
    while True:
        file.seek(0)
        file.truncate()
        told_s: float | None = None
        try:
            answer = fetcher.get(url, file, headers=conditions)
        except InvalidImage as error:
            if error.reason != "unreachable" or attempt >= settings.fetch_attempts:
                raise
        else:
            if answer.status not in BUSY or attempt >= settings.fetch_attempts:
                return answer
            told_s = answer.retry_after_s
        time.sleep(pause_s(attempt, told_s, longest_s=settings.fetch_wait_s))
        attempt += 1


def _store(part: Path, folder: Path, url: str, answer: FetchAnswer) -> Path:
    """Put the new file in place of the one before, with what the host said of it."""
    target = folder / f"catalogue{_ending(url, answer.content_type)}"
    part.replace(target)
    mark = _Mark(target.name, answer.etag, answer.last_modified)
    atomic_write(folder / "mark.json", json.dumps(asdict(mark)).encode())
    return target


def _ending(url: str, content_type: str | None) -> str:
    """The ending by which the file is read: the address's, else the media type's."""
    path = Path(urlsplit(url).path)
    if ending_of(path) is not None:
        return (
            "".join(path.suffixes[-2:]) if ending_of(path) != path.suffix.lower() else path.suffix
        )
    media = (content_type or "").partition(";")[0].strip().lower()
    return _ENDINGS.get(media, ".txt")


def _mark(folder: Path) -> _Mark | None:
    try:
        mark = _Mark(**json.loads((folder / "mark.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return mark if (folder / mark.file).exists() else None


def _conditions(mark: _Mark | None) -> list[tuple[str, str]]:
    if mark is None:
        return []
    marks = (("If-None-Match", mark.etag), ("If-Modified-Since", mark.last_modified))
    return [(name, value) for name, value in marks if value]
