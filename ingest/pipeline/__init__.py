"""The pipeline: reading, decoding, embedding and writing overlap. `ingest.tasks` runs it."""

from ingest.pipeline.fill import fill_index
from ingest.pipeline.models import IngestTask, PipelineContext, Progress, RunControl, Summary

__all__ = ["IngestTask", "PipelineContext", "Progress", "RunControl", "Summary", "fill_index"]
