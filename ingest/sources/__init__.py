"""Where catalogues come from: files, folders, data sets, standard input."""

from ingest.sources.folder import FolderSource
from ingest.sources.memory import MemorySource
from ingest.sources.opening import absolute_spec, open_source
from ingest.sources.ports import BrokenRow, LeftOutRow, Row, Source
from ingest.sources.shaping import ShapedSource
from ingest.sources.stream import StreamSource

__all__ = [
    "BrokenRow",
    "FolderSource",
    "LeftOutRow",
    "MemorySource",
    "Row",
    "ShapedSource",
    "Source",
    "StreamSource",
    "absolute_spec",
    "open_source",
]
