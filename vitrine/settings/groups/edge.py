"""How long a client may take, and how much may be under way at once."""

from __future__ import annotations

from pydantic import Field

from vitrine.settings.groups.group import SettingsGroup

__all__ = ["EdgeSettings"]


class EdgeSettings(SettingsGroup):
    """How long a client may take, and how much may be under way at once."""

    queue_size: int = Field(
        64, ge=0, le=10_000, description="requests that may wait for a thread; more get 503"
    )
    max_connections: int = Field(
        1000, ge=10, le=100_000, description="open connections of each serving process"
    )
    max_held_mb: float = Field(
        256, gt=0, le=65_536, description="size of all bodies that are being read at once"
    )
    head_timeout_s: float = Field(
        10, gt=0, le=600, description="seconds that the head of a request may take to arrive"
    )
    body_timeout_s: float = Field(
        300, gt=0, le=3600, description="seconds that a body may take, or an answer to be fetched"
    )
    least_rate_kb: float = Field(
        8, ge=0, le=10_000, description="kB/s that a body must bring, measured over 10 seconds"
    )
    keepalive_s: float = Field(
        15, gt=0, le=600, description="seconds that a connection may idle between two requests"
    )
