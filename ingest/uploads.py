"""Catalogues sent to the service: kept below the data folder, previewed, then ingested."""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from ingest.catalogue import (
    ChosenMapping,
    MappingChoice,
    Preview,
    choose_mapping,
    preview_catalogue,
)
from vitrine.errors import FieldError, InvalidInput
from vitrine.fields import Mapping
from vitrine.settings import FetchSettings
from vitrine.storage.atomic import atomic_write, make_folders

__all__ = ["FOLDER", "Upload", "receive_catalogue"]

FOLDER = "uploads"
"""Below the data folder, which service and workers share."""
_MOST = 10
"""Uploads kept; a job that has begun with an older one fails and says so."""
_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """A catalogue that was received: its source for a reindex, the mapping chosen, its first
    rows."""

    source: str
    chosen: ChosenMapping
    preview: Preview


def receive_catalogue(
    name: str,
    data: bytes,
    settings: FetchSettings,
    choice: MappingChoice,
    live: Mapping | None = None,
) -> Upload:
    """Keep a file and preview it, with the `live` version's mapping where it is no known export.

    `InvalidInput` (`InvalidMapping` too) when it is empty, of no known format, or an export that
    is not recognized; it is not kept then.
    """
    if not data:
        raise InvalidInput.of("catalogue", "is empty")
    folder = settings.data_dir.absolute() / FOLDER / uuid.uuid4().hex
    path = folder / _safe(name)
    make_folders(folder)
    atomic_write(path, data)
    try:
        chosen = choose_mapping(str(path), settings, choice, live=live)
        preview = preview_catalogue(str(path), settings, chosen.mapping, pictures_beside=False)
    except BaseException as error:
        shutil.rmtree(folder)
        if isinstance(error, InvalidInput):  # whoever sent the file does not know where it was kept
            prefix = f"{folder}/"
            faults = [FieldError(f.field, f.message.replace(prefix, "")) for f in error.errors]
            InvalidInput.__init__(error, faults)
        raise
    _prune(settings.data_dir / FOLDER)
    return Upload(str(path), chosen, preview)


def _safe(name: str) -> str:
    """The last part of a file's name, whichever system it comes from, without odd characters."""
    last = PurePosixPath(PureWindowsPath(name).name).name
    return _ODD.sub("_", last).lstrip(".")[-100:] or "catalogue"


def _prune(folder: Path) -> None:
    """Delete all but the latest uploads."""
    uploads = sorted(folder.iterdir(), key=lambda upload: upload.stat().st_mtime, reverse=True)
    for upload in uploads[_MOST:]:
        shutil.rmtree(upload)
