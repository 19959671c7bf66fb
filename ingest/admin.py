"""What the admin endpoints call: it puts work into the job store, and workers do it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.accepted import AcceptedPicture, AcceptedProduct, restore_pictures, store_pictures
from ingest.failures import API, LOST_PICTURE, CatalogueWarning, Failure, Ledger, open_ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.factory import open_store
from ingest.jobs.models import (
    WRITES,
    IngestRequest,
    Job,
    JobState,
    Kind,
    NewItem,
    QueueStats,
    ReindexRequest,
    new_job_id,
)
from ingest.jobs.schedules import Schedule
from ingest.jobs.store import JobStore
from ingest.jobs.work import (
    DeleteProduct,
    PatchProduct,
    PurgeProduct,
    UpsertProduct,
)
from ingest.tasks.ingest_job import ingest_job
from ingest.tasks.reindex import discard_unfinished, first_items
from ingest.tasks.reindex.copy import REINDEX
from ingest.tasks.scheduling import Scheduler
from ingest.tasks.source import retry_item
from vitrine.errors import Conflict, InvalidQuery, NoLiveVersion, NotFound
from vitrine.fields import Mapping as FieldMapping
from vitrine.products import Value
from vitrine.wiring import Vitrine

if TYPE_CHECKING:
    from ingest.catalogue import MappingChoice
    from ingest.uploads import Upload

__all__ = ["Admin"]

_LETTERS = 10_000
_UNREPEATABLE = ("-", API, LOST_PICTURE, REINDEX)
"""Sources of failures that no second run can read."""

_FIRST_MODEL = "the first catalogue is ingested with VITRINE_MODEL; leave the model out"
_NOT_TAKEN = "no worker has picked it up yet"


class Admin:
    """Accepts work; safe to call from several threads.

    What it returned an id for survives any crash.

    Errors besides those named: `StorageUnavailable` when the job store or the image store cannot be
    reached.
    """

    def __init__(self, vitrine: Vitrine, *, store: JobStore | None = None) -> None:
        self._vitrine = vitrine
        self._store = store or open_store(vitrine.settings)
        self._ledger: Ledger = open_ledger(vitrine.settings)

    # products
    def upsert(self, products: Sequence[AcceptedProduct]) -> str:
        """Accept whole products; pictures sent along are in the image store when this returns."""
        pictures = [accepted.pictures for accepted in products]
        items = [
            NewItem(WRITES, accepted.product.id, UpsertProduct(accepted.product, stored))
            for accepted, stored in zip(
                products, store_pictures(self._vitrine.images, pictures), strict=True
            )
        ]
        job_id = self._accept(Kind.UPSERT, items)
        restore_pictures(self._vitrine.images, pictures)
        return job_id

    def patch(
        self,
        product_id: str,
        changes: Mapping[str, Value | None],
        pictures: Sequence[AcceptedPicture] = (),
    ) -> str:
        """Accept changes of one product's fields, None empties one, and of its pictures."""
        (stored,) = store_pictures(self._vitrine.images, [pictures])
        job_id = self._accept(
            Kind.PATCH, [NewItem(WRITES, product_id, PatchProduct(changes, stored))]
        )
        restore_pictures(self._vitrine.images, [pictures])
        return job_id

    def delete(self, product_ids: Sequence[str]) -> str:
        """Accept the removal of products."""
        items = [NewItem(WRITES, product_id, DeleteProduct()) for product_id in product_ids]
        return self._accept(Kind.DELETE, items)

    def purge(self, product_ids: Sequence[str]) -> str:
        """Accept the removal of products and, at once, of the pictures that no other one shows."""
        items = [NewItem(WRITES, product_id, PurgeProduct()) for product_id in product_ids]
        return self._accept(Kind.DELETE, items)

    # bulk work
    def receive_catalogue(self, name: str, data: bytes, choice: MappingChoice) -> Upload:
        """Keep a catalogue's file where the workers find it, and preview it.

        See `ingest.uploads`.
        """
        from ingest.uploads import receive_catalogue  # here: reading catalogues takes libraries

        live = None
        if self._has_live_version():
            live = FieldMapping.from_dict(self._vitrine.versions.live().info.mapping)
        return receive_catalogue(name, data, self._vitrine.settings, choice, live)

    def reindex(
        self,
        *,
        source: str | None = None,
        model: str | None = None,
        verify: bool = True,
        allow_shrink: bool = False,
        mapping: FieldMapping | None = None,
    ) -> str:
        """Start a reindex, with the configured model and the live version's mapping unless said.

        Where nothing is live yet, a source is ingested instead and becomes the first version.
        `Conflict` with `job_id` while one runs.
        """
        stored = None if mapping is None else mapping.to_dict()
        if source is not None and not self._has_live_version():
            if model not in (None, self._vitrine.settings.model):
                raise InvalidQuery.of("model", _FIRST_MODEL)
            return self.ingest(IngestRequest(source, stored))
        self._vitrine.versions.live()
        request = ReindexRequest(source, model, verify, allow_shrink, stored)
        job = Job(new_job_id(Kind.REINDEX), Kind.REINDEX, request, stage="fill")
        self._store.add(job, first_items(job.id))
        return job.id

    def ingest(self, request: IngestRequest) -> str:
        """Have a worker ingest a source as `vitrine ingest` would, after what runs now."""
        job, items = ingest_job(request)
        self._store.add(job, items)
        return job.id

    def retry_failures(self) -> str:
        """Retry everything in the ledger: writes that were given up, and rows of sources."""
        sources = {
            name: count
            for name, count in self._ledger.sources().items()
            if name not in _UNREPEATABLE
        }
        job_id = new_job_id(Kind.RETRY)
        items = [retry_item(job_id, name) for name in sources]
        self._store.requeue_dead(Job(job_id, Kind.RETRY, total=sum(sources.values())), items)
        return job_id

    # schedules
    def schedules(self) -> Sequence[Schedule]:
        """All schedules by name, with their latest results."""
        return self._store.schedules()

    def add_schedule(
        self, name: str, request: IngestRequest, *, times: Sequence[str], zone: str
    ) -> Schedule:
        """Have a source ingested every day at some times ("03:00") in a time zone.

        `InvalidQuery` for what cannot be a name, time or zone, `Conflict` for a name that is taken.
        """
        schedule = Schedule.planned(name, request, times=times, zone=zone, now_s=time.time())
        if any(other.name == name for other in self._store.schedules()):
            raise Conflict(f"the schedule {name} already exists; remove it first")
        self._store.put_schedule(schedule)
        return schedule

    def remove_schedule(self, name: str) -> None:
        """Forget a schedule; `NotFound` when there is none of that name."""
        if not self._store.remove_schedule(name):
            raise NotFound(f"there is no schedule {name!r}")

    def run_schedule(self, name: str) -> str:
        """Run a schedule now, besides its times; `Conflict` while its last run is under way."""
        return Scheduler(self._store).run_now(name)

    # jobs
    def jobs(self, *, limit: int = 50) -> Sequence[Job]:
        """The latest jobs, newest first."""
        return [_explained(job) for job in self._store.jobs(limit=limit)]

    def job(self, job_id: str) -> Job:
        """One job; `NotFound` for an unknown id."""
        return _explained(self._store.job(job_id))

    def queue_stats(self) -> QueueStats:
        """How much there is to do."""
        return self._store.stats()

    def cancel(self, job_id: str) -> Job:
        """Stop a job: what a worker holds is finished or left, the rest is dropped.

        `Conflict` when it has ended or is published.
        """
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
        """Make a version the live one and return the one before.

        `Conflict` while a reindex or ingest runs.
        """
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
    def failures(
        self, *, limit: int = 100, offset: int = 0, reason: str | None = None
    ) -> tuple[Sequence[Failure], int]:
        """What failed, newest first, of one reason or all, and how many there are.

        That is writes that were given up, and this machine's rows of sources.
        """
        given_up = [
            Failure(d.key, d.stage, d.reason, d.message, at=datetime.fromtimestamp(d.at_s, UTC))
            for d in self._store.dead(limit=_LETTERS)
            if reason in (None, d.reason)
        ]
        # the same writes, as far as this machine tried them
        _, here = self._ledger.entries(limit=1, source=API, reason=reason)
        entries, total = self._ledger.entries(limit=offset + limit + here, reason=reason)
        both = sorted(
            [*given_up, *(e for e in entries if e.source != API)],
            key=lambda failure: failure.at,
            reverse=True,
        )
        return both[offset : offset + limit], total - here + len(given_up)

    def failure_counts(self, *, reason: str | None = None) -> dict[str, int]:
        """How many failures have each reason, or one of them, the commonest first."""
        counts = Counter(letter.reason for letter in self._store.dead(limit=_LETTERS))
        counts.update({group.reason: group.count for group in self._ledger.groups()})
        counts.subtract({group.reason: group.count for group in self._ledger.groups(source=API)})
        return {name: n for name, n in counts.most_common() if n > 0 and reason in (None, name)}

    def warnings(self, *, limit: int = 100) -> Sequence[CatalogueWarning]:
        """What this machine's ingests took although it looks odd, newest first."""
        return self._ledger.warnings(limit=limit)[0]

    def close(self) -> None:
        """Release connections; may be called twice."""
        self._store.close()

    def _has_live_version(self) -> bool:
        try:
            self._vitrine.versions.live()
        except NoLiveVersion:
            return False
        return True

    def _accept(self, kind: Kind, items: Sequence[NewItem]) -> str:
        job = Job(new_job_id(kind), kind, total=len(items))
        self._store.add(job, items)
        return job.id


def _explained(job: Job) -> Job:
    """The job, with the rows that it is reading, and why it waits where only its state says so."""
    job = job.counting_rows()
    if job.state is not JobState.QUEUED or job.waiting is not None:
        return job
    return replace(job, waiting=_NOT_TAKEN, waiting_since_s=job.created_s)
