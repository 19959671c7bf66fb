"""The pipeline: reading, decoding, embedding and writing overlap. Stages only; `ingest.tasks` runs them."""

from ingest.pipeline.filling import fill
from ingest.pipeline.models import Progress, Summary, Task, Tools, Watch

__all__ = ["Progress", "Summary", "Task", "Tools", "Watch", "fill"]
