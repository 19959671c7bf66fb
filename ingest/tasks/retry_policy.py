"""What an error means for a piece of work: try again, or give up."""

from __future__ import annotations

from ingest.decoding.process import DecoderUnavailable
from ingest.jobs.models import Retry, WorkItem
from ingest.reading.process import ReaderUnavailable
from vitrine.errors import (
    DecoderBusy,
    IndexUnavailable,
    InvalidImage,
    ModelBusy,
    ModelMismatch,
    ModelUnavailable,
    StorageUnavailable,
    VitrineError,
)
from vitrine.settings import IngestSettings

__all__ = ["DEADLY", "is_outage", "is_unreachable", "retry_with_backoff"]

DEADLY = 20
"""Work taken this often without an outcome is given up: it kills every worker that takes it."""

_LONGEST_S = 300.0
_OUTAGES = (
    DecoderBusy,
    DecoderUnavailable,
    IndexUnavailable,
    ModelBusy,
    ModelMismatch,
    ModelUnavailable,
    ReaderUnavailable,
    StorageUnavailable,
)


def is_outage(error: VitrineError) -> bool:
    """Whether something that Vitrine depends on is unavailable or too busy, whatever the
    product."""
    return isinstance(error, _OUTAGES)


def is_unreachable(error: VitrineError) -> bool:
    """Whether a picture could not be fetched just now."""
    return isinstance(error, InvalidImage) and error.reason == "unreachable"


def retry_with_backoff(
    item: WorkItem, settings: IngestSettings, *, attempts: int, reason: str
) -> Retry:
    """Try again after 1, 2, 4 ... times JOB_BACKOFF_S, by the attempts; at most 5 minutes."""
    pause_s = settings.job_backoff_s * 2.0 ** min(item.attempts - 1, 16)
    return Retry(item, min(_LONGEST_S, pause_s), attempts, reason)
