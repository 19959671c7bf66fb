"""Ingest, reindex, and the jobs of workers."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from vitrine.settings.groups.checks import matching
from vitrine.settings.groups.data import DataSettings

__all__ = ["IngestSettings"]

_RayAddress = Annotated[
    str, matching(r"([^\s/]+:\d{1,5})?", "must be HOST:PORT, such as 10.0.0.5:6379")
]


class IngestSettings(DataSettings):
    """Ingest, reindex, and the jobs of workers."""

    queue_url: str = Field(
        "",
        description="job queue: sqlite:PATH or redis://HOST:PORT/DB; empty: SQLite under DATA_DIR",
    )
    queue_password: SecretStr = Field(
        SecretStr(""), description="password of the Redis queue, any characters"
    )
    batch_size: int = Field(
        0,
        ge=0,
        le=4096,
        description="images embedded at once while ingesting; 0: found by a short calibration",
    )
    decode_threads: int = Field(
        0, ge=0, le=256, description="threads that read and decode images; 0: one per core"
    )
    decode_processes: int = Field(
        -1,
        ge=-1,
        le=256,
        description="processes that read and decode images instead of threads; 0: none, -1: all"
        " cores but two where a card computes, else one for four cores",
    )
    read_memory_mb: int = Field(
        2000,
        ge=100,
        le=1_000_000,
        description="memory that the process may take that reads a catalogue where processes"
        " decode; a file that needs more ends the ingest",
    )
    ray_address: _RayAddress = Field(
        "",
        description="address (HOST:PORT) of a Ray cluster that prepares and embeds the pictures of "
        "ingests and reindexes; empty: this machine does",
    )
    write_batch: int = Field(256, ge=1, le=10_000, description="products committed together")
    keep_versions: int = Field(
        2,
        ge=0,
        le=100,
        description="earlier index versions kept for rollback, above all the one live before",
    )
    worker_threads: int = Field(
        2, ge=1, le=64, description="jobs that one worker process works on at once"
    )
    chunk_size: int = Field(
        256,
        ge=1,
        le=100_000,
        description="products in one chunk of a reindex; workers share the chunks",
    )
    job_lease_s: float = Field(
        60,
        ge=0.5,
        le=3600,
        description="seconds after which the work of a worker that died is taken by another",
    )
    job_attempts: int = Field(
        5,
        ge=1,
        le=100,
        description="tries of a product whose picture cannot be fetched, before it is a failure",
    )
    job_backoff_s: float = Field(
        2,
        ge=0,
        le=3600,
        description="seconds before the second try; doubled each time, to 5 minutes at most",
    )
    keep_jobs: int = Field(
        1000, ge=1, description="finished jobs that are listed whatever their age"
    )
    keep_jobs_hours: float = Field(
        24, ge=0, le=8760, description="hours for which every finished job is listed"
    )
    max_images: int = Field(
        8, ge=1, le=64, description="pictures of each product that are used, the first ones"
    )
    text_vectors: bool = Field(
        True,
        description="whether new versions keep a vector of each product's words beside those of"
        " its pictures",
    )
    picture_grace_hours: float = Field(
        168,
        ge=0,
        le=87_600,
        description="hours for which a picture that no product shows is kept; 0: forever",
    )
    max_shrink: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the live products that a run may remove without --allow-shrink",
    )
    verify_sample: int = Field(
        50,
        ge=0,
        le=10_000,
        description="products that a new version must find by each of their pictures to go live",
    )
    judgements: str = Field(
        "",
        description="file of judged queries; a reindex with a lower nDCG on them is not published",
    )
    max_ndcg_drop: float = Field(
        0, ge=0, le=1, description="how much lower the nDCG of a new version may be"
    )

    @field_validator("queue_url")
    @classmethod
    def _known_queue(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:", "redis://", "rediss://")):
            raise ValueError("must start with sqlite:, redis:// or rediss://")
        if url.startswith("redis"):
            _require_redis_address(url)
        return url

    @model_validator(mode="before")
    @classmethod
    def _password_in_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Put the password into the queue's address, in which redis-py wants it, encoded."""
        password = values.get("queue_password") or ""
        if isinstance(password, SecretStr):
            password = password.get_secret_value()
        scheme, mark, rest = str(values.get("queue_url") or "").partition("://")
        if not (password and mark) or "@" in rest:
            return values
        return {**values, "queue_url": f"{scheme}://:{quote(password, safe='')}@{rest}"}


def _require_redis_address(url: str) -> None:
    """`ValueError` for an address that has no host, or a port or database that is not a number, as
    one has that holds a password with / ? # or :."""
    try:
        parts = urlsplit(url)
        whole = parts.hostname is not None and (parts.port is None or parts.port > 0)
        whole &= re.fullmatch(r"(/\d*)?", parts.path) is not None
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(
            "cannot be read as redis://HOST:PORT/DB; a password belongs into VITRINE_QUEUE_PASSWORD"
        )
