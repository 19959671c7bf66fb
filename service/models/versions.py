"""Index versions as the admin API lists and publishes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.models.base import Answer, Parameters

__all__ = ["FillingAnswer", "PublishedAnswer", "VersionAnswer", "VersionPath", "VersionsAnswer"]


class VersionPath(Parameters):
    """The index version that a path names."""

    version: str


class FillingAnswer(Answer):
    """How an ingest or a reindex made a version's vectors."""

    device: str
    precision: str
    batch: int = Field(description="pictures embedded at once")
    seconds: float = Field(description="from its start, loading the model included")


class VersionAnswer(Answer):
    """An index version."""

    name: str
    state: str
    backend: str
    model: str
    fingerprint: str
    dimension: int
    count: int
    created: datetime
    filling: FillingAnswer | None = Field(description="null for versions of a reindex")


class VersionsAnswer(Answer):
    """All versions, newest first."""

    versions: list[VersionAnswer]


class PublishedAnswer(Answer):
    """The version that answers now, and the one that did before."""

    live: str
    previous: str | None
