"""Which store the settings name."""

from __future__ import annotations

from pathlib import Path

from ingest.jobs.store import JobStore
from vitrine.settings import IngestSettings

__all__ = ["open_store", "sqlite_path"]


def sqlite_path(settings: IngestSettings) -> Path | None:
    """The file of the embedded store; None when the queue is Redis."""
    url = settings.queue_url
    if url.startswith(("redis://", "rediss://")):
        return None
    return (
        Path(url.removeprefix("sqlite:"))
        if url.removeprefix("sqlite:")
        else settings.data_dir / "jobs" / "jobs.db"
    )


def open_store(settings: IngestSettings) -> JobStore:
    """The job store: a SQLite file, or the Redis that is the queue."""
    path = sqlite_path(settings)
    if path is None:
        from ingest.jobs.redis_store import RedisStore

        return RedisStore(settings.queue_url)
    from ingest.jobs.sqlite_store import SqliteStore

    return SqliteStore(path)
