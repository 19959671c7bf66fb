"""Fetching pictures by URL."""

from __future__ import annotations

from pydantic import Field

from vitrine.settings.groups.checks import HeaderText
from vitrine.settings.groups.images import ImageSettings

__all__ = ["FetchSettings"]


class FetchSettings(ImageSettings):
    """Fetching pictures by URL."""

    catalogue_root: str = Field(
        "",
        description="folder below which the pictures that catalogues name may lie; empty: below "
        "the catalogue's own folder",
    )
    fetch_urls: bool = Field(
        False, description="whether queries may name an image by URL (ingest always may)"
    )
    fetch_private: bool = Field(
        False, description="whether image URLs may point into private networks"
    )
    fetch_timeout_s: float = Field(10, gt=0, le=600, description="seconds for fetching one image")
    fetch_user_agent: HeaderText = Field(
        "",
        max_length=200,
        description="User-Agent sent when pictures are fetched; empty: Vitrine and its version",
    )
    fetch_per_host: int = Field(
        4, ge=1, le=64, description="pictures that ingest fetches from one host at once"
    )
    fetch_attempts: int = Field(
        5, ge=1, le=20, description="tries of a host that answers 429 or 5xx, or not in time"
    )
    fetch_wait_s: float = Field(
        60, ge=0, le=3600, description="seconds that ingest waits at most when a host asks for it"
    )
    source_timeout_s: float = Field(
        600, gt=0, le=86_400, description="seconds for fetching a catalogue from its address"
    )
    max_source_gb: float = Field(
        10, gt=0, le=1000, description="size of a catalogue that is fetched from its address"
    )
