"""From what the operator names to a source."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ingest.sources.files import FORMATS, FilesSource, format_of, matching
from ingest.sources.folder import FolderSource
from ingest.sources.hub import HubSource
from ingest.sources.ports import Source
from ingest.sources.stream import StreamSource
from vitrine.errors import InvalidInput
from vitrine.settings import DataSettings

__all__ = ["open_source"]

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def open_source(spec: str, settings: DataSettings) -> Source:
    """The source of a path, a glob, a folder, the name of a data set, or "-" for standard input.

    What exists on this machine wins over the hub. `InvalidInput` says what was looked for.
    """
    data_dir = settings.data_dir.absolute()
    if spec == "-":
        return StreamSource(sys.stdin.buffer, Path.cwd())
    path = Path(spec).expanduser().absolute()
    if path.is_dir():
        return _folder(path, data_dir)
    files = matching(str(path))
    if files:
        return FilesSource(str(path), files, data_dir)
    if _HUB_NAME.fullmatch(spec) and format_of(path) is None:
        return HubSource(spec, data_dir)
    wanted = f"a path or glob of {', '.join(FORMATS)}, a folder, the name of a data set on the hub, or - for standard input"
    raise InvalidInput.of("source", f"there is no {spec}; give {wanted}")


def _folder(path: Path, data_dir: Path) -> Source:
    images = FolderSource(path)
    if next(images.rows(), None) is not None:
        return images
    return HubSource(str(path), data_dir, base=path)
