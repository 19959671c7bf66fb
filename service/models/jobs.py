"""Work that the admin API accepts, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ingest.jobs.models import JobState
from service.models.base import Answer, Body, Parameters, Text

__all__ = [
    "IngestBody",
    "JobAnswer",
    "JobPath",
    "JobsAnswer",
    "JobsParameters",
    "QueuedAnswer",
    "ReindexRequest",
    "SourceAnswer",
]


class ReindexRequest(Body):
    """What to build a new version from; by default the live one's own records and pictures."""

    source: Text | None = Field(default=None, description="a source as `vitrine ingest` takes it")
    model: Text | None = Field(default=None, description="a model other than the live version's")
    verify: bool = Field(default=True, description="check the new version before it is published")
    allow_shrink: bool = Field(
        default=False,
        description="allow more products to be removed than VITRINE_MAX_SHRINK permits",
    )
    mapping: dict[str, Any] | None = Field(
        default=None,
        description="how the source is read, as a preview gives it; "
        "else the live version's mapping",
    )


class IngestBody(Body):
    """A catalogue to ingest as `vitrine ingest` does."""

    source: Text = Field(min_length=1, description="a source as `vitrine ingest` takes it")
    mapping: dict[str, Any] | None = Field(
        default=None,
        description="how the source is read; by default the export is recognized by its columns",
    )
    currency: Text | None = Field(default=None, description="of all prices, such as EUR")
    images: Text | None = Field(default=None, description="address before relative picture names")
    language: Text | None = Field(
        default=None, description="of the texts, such as de; guessed by default"
    )
    mode: Literal["update", "sync", "replace"] = Field(
        default="update",
        description="what becomes of products that the source does not name: they stay (update), "
        "go (sync), or a new version is built from the source alone (replace)",
    )
    allow_shrink: bool = Field(
        default=False,
        description="allow more products to be removed than VITRINE_MAX_SHRINK permits",
    )


class QueuedAnswer(Answer):
    """The work was accepted and continues in the background."""

    job_id: str
    status_url: str


class JobPath(Parameters):
    """The job that a path names."""

    job_id: str


class JobsParameters(Parameters):
    """How many jobs to list."""

    limit: int = Field(default=50, ge=1, le=1000)


class SourceAnswer(Answer):
    """How far a job has come with its source, in rows, or how it came out."""

    done: int = Field(description="rows that are in the index")
    unchanged: int = Field(description="those of them that had not changed")
    failed: int = Field(description="rows that failed; see the failures")
    left_out: int = Field(description="rows that the mapping leaves out")
    removed: int = Field(description="products that the source no longer names")
    share: float | None = Field(
        description="how much of the source has been read, from 0 to 1, where rows are not counted"
    )
    refused: bool = Field(description="whether nothing was changed because the source looked wrong")
    nodes: dict[str, float] = Field(
        description="pictures per second of each machine of a cluster; empty where none works"
    )


class JobAnswer(Answer):
    """The state of a job."""

    id: str
    kind: str
    state: JobState
    source: str | None = Field(description="the catalogue that it reads")
    report: SourceAnswer | None = Field(description="its progress through its source")
    done: int
    total: int | None
    failed_items: int
    rate: float | None = Field(description="products per second")
    eta_s: float | None = Field(description="seconds left")
    version: str | None
    error: str | None
    waiting: str | None = Field(description="what it is waiting for; null while it is running")
    waiting_since: datetime | None
    created: datetime
    started: datetime | None = Field(description="when a worker first took it")
    updated: datetime
    ended: datetime | None


class JobsAnswer(Answer):
    """The latest jobs, newest first."""

    jobs: list[JobAnswer]
