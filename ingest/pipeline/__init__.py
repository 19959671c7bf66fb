"""The pipeline: reading, decoding, embedding and writing overlap."""

from ingest.pipeline.filling import fill
from ingest.pipeline.running import open_tools, run
from ingest.pipeline.values import Progress, Summary, Task, Tools, Watch

__all__ = ["Progress", "Summary", "Task", "Tools", "Watch", "fill", "open_tools", "run"]
