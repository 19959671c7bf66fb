"""How long a client may take, and how much may be under way at once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vitrine.settings import Settings

__all__ = ["EdgeLimits"]


_PROBES = ("/health/live", "/health/ready")


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """The limits of one serving process.

    Times in seconds, sizes in bytes, rates in bytes a second.
    """

    threads: int
    """Requests answered at once."""
    queue: int
    """Whole requests that may wait for a thread."""
    queue_timeout_s: float
    """How long one of them may wait."""
    origins: frozenset[str]
    """Whose pages may read a refusal; `*` for any."""
    connections: int
    probes: tuple[str, ...]
    """Paths with threads of their own, so that they answer whatever the other requests do."""
    head_timeout_s: float
    body_timeout_s: float
    least_rate: float
    """Of an incoming body or an outgoing answer, after a grace of `GRACE_S`."""
    keepalive_s: float
    body_bytes: int
    """Of one request."""
    held_bytes: int
    """Of all bodies that are held at once, and, counted for themselves, of all unsent answers."""

    @classmethod
    def of(cls, settings: Settings) -> EdgeLimits:
        """The limits that the settings name."""
        prefix = urlsplit(settings.public_url).path
        return cls(
            origins=frozenset(part.strip() for part in settings.cors_origins.split(",")) - {""},
            probes=(*_PROBES, *(prefix + path for path in _PROBES)),
            threads=settings.threads,
            queue=settings.queue_size,
            queue_timeout_s=settings.request_timeout_s,
            connections=settings.max_connections,
            head_timeout_s=settings.head_timeout_s,
            body_timeout_s=settings.body_timeout_s,
            least_rate=settings.least_rate_kb * 1000,
            keepalive_s=settings.keepalive_s,
            body_bytes=int(settings.max_body_mb * 1_000_000),
            held_bytes=int(settings.max_held_mb * 1_000_000),
        )
