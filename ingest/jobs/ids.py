"""Names of jobs."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from ingest.jobs.models import Kind

__all__ = ["new_job_id"]


def new_job_id(kind: Kind) -> str:
    """Ids that sort by time and say what they are."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
