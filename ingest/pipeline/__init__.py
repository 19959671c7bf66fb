"""The pipeline: reading, decoding, embedding and writing overlap. `ingest.tasks` runs it.

Its parts are imported at first use: a decoding process needs one of them, and starts often.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.pipeline.fill import fill_index
    from ingest.pipeline.models import IngestTask, PipelineContext, Progress, RunControl, Summary

__all__ = ["IngestTask", "PipelineContext", "Progress", "RunControl", "Summary", "fill_index"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part = "fill" if name == "fill_index" else "models"
    return getattr(import_module(f"{__name__}.{part}"), name)
