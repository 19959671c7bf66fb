"""What the service's admin endpoints call: everything is accepted into the job store and done by workers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ingest.failures import API, Failure, Ledger, open_ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.factory import open_store
from ingest.jobs.models import WRITES, Job, JobState, Kind, NewItem
from ingest.jobs.queue import Queue
from ingest.jobs.store import JobStore
from ingest.tasks.live_writes import delete_body, patch_body, upsert_body
from ingest.tasks.reindex.copy import REINDEX
from ingest.tasks.reindex.plan import discard_unfinished, first_items
from ingest.tasks.source import retry_item, source_item
from vitrine.errors import Conflict, InvalidProduct
from vitrine.images.base64_text import decode_base64
from vitrine.wiring import Vitrine

__all__ = ["Admin"]

_STORERS = 8
_LETTERS = 10_000
_UNREPEATABLE = ("-", API, REINDEX)
"""Sources of failures that no second run can read."""


class Admin:
    """Accepts work; safe to call from several threads. What it returned an id for survives any crash."""

    def __init__(self, vitrine: Vitrine, *, store: JobStore | None = None) -> None:
        self._vitrine = vitrine
        self._store = store or open_store(vitrine.settings)
        self._queue = Queue(vitrine.settings)
        self._ledger: Ledger = open_ledger(vitrine.settings)

    # products
    def upsert(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Accept whole products; pictures sent along are in the image store when this returns. `InvalidProduct` for a broken one."""
        with ThreadPoolExecutor(_STORERS, thread_name_prefix="store-picture") as pool:
            images = list(pool.map(self._stored, range(len(rows)), rows))
        bodies = [
            ({k: v for k, v in row.items() if k != "image"}, image)
            for row, image in zip(rows, images, strict=True)
        ]
        return self._accept(
            Kind.UPSERT,
            [NewItem(WRITES, row["id"], upsert_body(row, image)) for row, image in bodies],
        )

    def patch(self, product_id: str, changes: Mapping[str, Any]) -> str:
        """Accept changes of one product's fields."""
        return self._accept(Kind.PATCH, [NewItem(WRITES, product_id, patch_body(changes))])

    def delete(self, product_ids: Sequence[str]) -> str:
        """Accept the removal of products."""
        return self._accept(
            Kind.DELETE, [NewItem(WRITES, one, delete_body()) for one in product_ids]
        )

    # bulk work
    def reindex(
        self, *, source: str | None = None, model: str | None = None, verify: bool = True
    ) -> str:
        """Start a reindex with the configured model or another one; `Conflict` with `job_id` while one runs."""
        self._vitrine.versions.live()
        request = {"source": source, "model": model, "verify": verify}
        job = Job(
            _new_id(Kind.REINDEX),
            Kind.REINDEX,
            {k: v for k, v in request.items() if v is not None},
            stage="fill",
        )
        self._store.add(job, first_items(job.id))
        self._queue.notify(self._vitrine.settings.worker_threads)
        return job.id

    def ingest(self, source: str) -> str:
        """Bring a source into the live version, under the mapping it was built with; the worker reads the source."""
        job_id = _new_id(Kind.INGEST)
        self._store.add(Job(job_id, Kind.INGEST, {"source": source}), [source_item(job_id, source)])
        self._queue.notify(1)
        return job_id

    def retry_failures(self) -> str:
        """Try everything again that stands in the ledger and can be had again: writes that were given up, and rows of sources."""
        sources = {
            name: count
            for name, count in self._ledger.sources().items()
            if name not in _UNREPEATABLE
        }
        job_id = _new_id(Kind.RETRY)
        items = [retry_item(job_id, name) for name in sources]
        self._store.requeue_dead(Job(job_id, Kind.RETRY, total=sum(sources.values())), items)
        self._queue.notify(self._vitrine.settings.worker_threads)
        return job_id

    # jobs
    def jobs(self, *, limit: int = 50) -> Sequence[Job]:
        """The latest jobs, newest first."""
        return self._store.jobs(limit=limit)

    def job(self, job_id: str) -> Job:
        """One job; `NotFound` for an unknown id."""
        return self._store.job(job_id)

    def cancel(self, job_id: str) -> Job:
        """Stop a job: what a worker holds is finished or left, the rest is dropped; `Conflict` when it has ended or is published."""
        job = self._store.job(job_id)
        if job.state is JobState.PUBLISHED or not self._store.end(job_id, JobState.CANCELLED):
            raise Conflict(
                f"job {job_id} cannot be cancelled, it is {self._store.job(job_id).state}",
                job_id=job_id,
            )
        if job.kind is Kind.REINDEX:
            discard_unfinished(self._vitrine.versions, self._store, job)
        return self._store.job(job_id)

    # versions
    def publish(self, version: str) -> str | None:
        """Make a version the live one and return the previous; `Conflict` while a reindex or ingest runs."""
        with catalogue_lock(self._vitrine.settings, "the publication of a version"):
            return self._vitrine.versions.publish(version)

    def discard(self, version: str) -> None:
        """Delete a version; `Conflict` for the live one and for one that a running job fills."""
        for job in self._store.active():
            if job.version == version:
                raise Conflict(
                    f"job {job.id} is filling version {version}; cancel it first", job_id=job.id
                )
        self._vitrine.versions.discard(version)

    # failures
    def failures(self, *, limit: int = 100, offset: int = 0) -> tuple[Sequence[Failure], int]:
        """What failed, newest first, and how many there are in all: writes that were given up, and this machine's rows of sources."""
        letters = self._store.dead(limit=_LETTERS)
        given_up = [
            Failure(d.key, d.stage, d.reason, d.message, at=datetime.fromtimestamp(d.at_s, UTC))
            for d in letters
        ]
        _, here = self._ledger.entries(
            limit=1, source=API
        )  # the same writes, as far as this machine tried them
        entries, total = self._ledger.entries(limit=offset + limit + here)
        both = sorted(
            [*given_up, *(e for e in entries if e.source != API)],
            key=lambda failure: failure.at,
            reverse=True,
        )
        return both[offset : offset + limit], total - here + len(given_up)

    def close(self) -> None:
        """Release connections; may be called twice."""
        self._store.close()
        self._queue.close()

    def _accept(self, kind: Kind, items: Sequence[NewItem]) -> str:
        job = Job(_new_id(kind), kind, total=len(items))
        self._store.add(job, items)
        self._queue.notify(1)
        return job.id

    def _stored(self, number: int, row: Mapping[str, Any]) -> dict[str, str] | None:
        image = row.get("image")
        if image is None:
            return None
        if isinstance(image, str):
            return {"url": image}
        if isinstance(image, Mapping) and isinstance(image.get("url"), str):
            return {"url": image["url"]}
        if isinstance(image, Mapping) and isinstance(image.get("base64"), str):
            return {"key": self._vitrine.images.put(_bytes(number, image["base64"]))}
        raise InvalidProduct.of(
            f"[{number}].image", 'must be a URL, {"url": ...} or {"base64": ...}'
        )


def _bytes(number: int, text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError:
        raise InvalidProduct.of(f"[{number}].image", "is no valid base64 text") from None


def _new_id(kind: Kind) -> str:
    """Ids that sort by time and say what they are."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
