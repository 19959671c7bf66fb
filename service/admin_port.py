"""The port of the job engine: what the admin API asks of it (`ingest.jobs` implements it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

__all__ = ["JOB_STATES", "AdminPort", "FailureEntry", "JobStatus"]

JOB_STATES = ("queued", "running", "verifying", "published", "done", "failed", "cancelled")


class JobStatus(Protocol):
    """How a job stands; any value with these attributes will do."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> str:
        """ "upsert", "patch", "delete", "reindex", "retry" or "ingest"."""
        ...

    @property
    def state(self) -> str:
        """One of `JOB_STATES`."""
        ...

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int | None: ...

    @property
    def failed_items(self) -> int: ...

    @property
    def rate(self) -> float | None:
        """Products per second, None while it is unknown."""
        ...

    @property
    def eta_s(self) -> float | None:
        """Seconds left, None while they are unknown."""
        ...

    @property
    def version(self) -> str | None:
        """The index version that the job fills or writes."""
        ...

    @property
    def error(self) -> str | None:
        """Why it failed, for the operator."""
        ...

    @property
    def created(self) -> datetime: ...

    @property
    def updated(self) -> datetime: ...


class FailureEntry(Protocol):
    """One product that could not be taken, as the failure ledger keeps it; any value with these attributes will do."""

    @property
    def id(self) -> str:
        """The product's id, or the row of its source where it has none."""
        ...

    @property
    def stage(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def message(self) -> str: ...


class AdminPort(Protocol):
    """Work in the background. Safe to call from several threads; every call returns at once.

    Errors: `InvalidInput` for what the caller can mend, `NotFound` for an unknown job, `Conflict` where said,
    `StorageUnavailable` when the queue cannot be reached.
    """

    def upsert(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Queue an upsert and return the job's id.

        A row has the catalogue's field names (`id` and `title` are present and are text), and `image`: a URL, or a
        mapping with `base64` or `url`. A row without an image keeps the picture that its product has.
        """
        ...

    def patch(self, product_id: str, changes: Mapping[str, Any]) -> str:
        """Queue a change of fields (by schema name, None empties a field) and return the job's id."""
        ...

    def delete(self, product_ids: Sequence[str]) -> str:
        """Queue the removal of products and return the job's id."""
        ...

    def reindex(
        self, *, source: str | None = None, model: str | None = None, verify: bool = True
    ) -> str:
        """Start a reindex and return the job's id; `Conflict` with `job_id` while another one runs."""
        ...

    def jobs(self, *, limit: int = 50) -> Sequence[JobStatus]:
        """The latest jobs, newest first."""
        ...

    def job(self, job_id: str) -> JobStatus:
        """One job; `NotFound` for an unknown id."""
        ...

    def cancel(self, job_id: str) -> JobStatus:
        """Ask a job to stop and return how it stands; `Conflict` when it has already ended."""
        ...

    def publish(self, version: str) -> str | None:
        """Make a version the live one (rollback) and return the previous live one; `Conflict` while a reindex runs."""
        ...

    def discard(self, version: str) -> None:
        """Delete a version; `Conflict` for the live one and for one that a running job fills."""
        ...

    def failures(self, *, limit: int = 100, offset: int = 0) -> tuple[Sequence[FailureEntry], int]:
        """Entries of the ledger, newest first, and how many there are in all."""
        ...

    def retry_failures(self) -> str:
        """Queue another try of everything in the ledger and return the job's id."""
        ...
