"""Refusals that every store words alike."""

from __future__ import annotations

from vitrine.errors import Conflict

__all__ = ["lock_conflict"]


def lock_conflict(holder: str, *, is_job: bool) -> Conflict:
    """The refusal of a second reindex or bulk ingest."""
    who = f"job {holder}" if is_job else holder
    return Conflict(
        f"one reindex or ingest runs at a time, and {who} is running",
        job_id=holder if is_job else None,
    )
