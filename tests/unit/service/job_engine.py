"""A stand-in for the job engine: it remembers what it was asked and does nothing."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.accepted import AcceptedPicture, AcceptedProduct
from ingest.catalogue import MappingChoice
from ingest.failures import CatalogueWarning
from ingest.jobs.models import IngestRequest, QueueStats, SourceReport
from ingest.jobs.schedules import Schedule
from ingest.uploads import Upload, receive_catalogue
from tests.unit.service.brute_force import BruteForceVersions
from vitrine.errors import Conflict, NotFound
from vitrine.fields import Mapping as FieldMapping
from vitrine.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    state: str = "queued"
    done: int = 0
    total: int | None = None
    failed_items: int = 0
    rate: float | None = None
    eta_s: float | None = None
    version: str | None = None
    source: str | None = None
    report: SourceReport | None = None
    error: str | None = None
    waiting: str | None = None
    waiting_since: datetime | None = None
    created: datetime = NOON
    started: datetime | None = None
    updated: datetime = NOON
    ended: datetime | None = None


@dataclass(frozen=True)
class Failure:
    id: str
    stage: str = "image"
    reason: str = "truncated"
    message: str = "the file is incomplete"
    source: str = "shop.csv"
    row: int | None = 7
    place: str = "row 9"
    at: datetime = NOON


class FakeJobs:
    def __init__(self, versions: BruteForceVersions) -> None:
        self._versions = versions
        self.asked: dict[str, Any] = {}
        self.planned: dict[str, Schedule] = {}
        self._jobs: dict[str, Job] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="vitrine-uploads-"))
        """Where the catalogues lie that were sent."""
        self._cleanup = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.mappings: dict[str, FieldMapping | None] = {}

    def _queue(self, kind: str, asked: Any) -> str:
        job = Job(f"job-{len(self._jobs) + 1}", kind)
        self._jobs[job.id] = job
        self.asked[job.id] = asked
        return job.id

    def upsert(self, products: Sequence[AcceptedProduct]) -> str:
        return self._queue("upsert", products)

    def patch(
        self,
        product_id: str,
        changes: Mapping[str, Any],
        pictures: Sequence[AcceptedPicture] = (),
    ) -> str:
        return self._queue("patch", (product_id, changes, *([pictures] if pictures else [])))

    def delete(self, product_ids: Sequence[str]) -> str:
        return self._queue("delete", product_ids)

    def purge(self, product_ids: Sequence[str]) -> str:
        return self._queue("purge", product_ids)

    def receive_catalogue(self, name: str, data: bytes, choice: MappingChoice) -> Upload:
        return receive_catalogue(name, data, Settings(data_dir=self.folder), choice)

    def reindex(
        self,
        *,
        source: str | None = None,
        model: str | None = None,
        verify: bool = True,
        allow_shrink: bool = False,
        mapping: FieldMapping | None = None,
    ) -> str:
        running = next(
            (j.id for j in self._jobs.values() if j.kind == "reindex" and j.state == "queued"), None
        )
        if running is not None:
            raise Conflict(f"reindex {running} is running", job_id=running)
        job_id = self._queue("reindex", (source, model, verify))
        self.mappings[job_id] = mapping
        return job_id

    def ingest(self, request: IngestRequest) -> str:
        return self._queue("ingest", request)

    def schedules(self) -> Sequence[Schedule]:
        return list(self.planned.values())

    def add_schedule(
        self, name: str, request: IngestRequest, *, times: Sequence[str], zone: str
    ) -> Schedule:
        if name in self.planned:
            raise Conflict(f"the schedule {name} already exists")
        now_s = NOON.timestamp()
        planned = Schedule.planned(name, request, times=times, zone=zone, now_s=now_s)
        self.planned[name] = planned
        return planned

    def remove_schedule(self, name: str) -> None:
        if self.planned.pop(name, None) is None:
            raise NotFound(f"there is no schedule {name!r}")

    def run_schedule(self, name: str) -> str:
        if name not in self.planned:
            raise NotFound(f"there is no schedule {name!r}")
        return self._queue("ingest", self.planned[name].request)

    def queue_stats(self) -> QueueStats:
        open_jobs = [job for job in self._jobs.values() if job.state == "queued"]
        return QueueStats(len(open_jobs), len(open_jobs), 3 * len(open_jobs), 7.5)

    def jobs(self, *, limit: int = 50) -> Sequence[Job]:
        return list(self._jobs.values())[::-1][:limit]

    def job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NotFound(f"there is no job {job_id!r}")
        return self._jobs[job_id]

    def cancel(self, job_id: str) -> Job:
        if self.job(job_id).state == "cancelled":
            raise Conflict(f"job {job_id} has ended")
        self._jobs[job_id] = replace(self.job(job_id), state="cancelled")
        return self._jobs[job_id]

    def publish(self, version: str) -> str | None:
        return self._versions.publish(version)

    def discard(self, version: str) -> None:
        self._versions.discard(version)

    def failures(
        self, *, limit: int = 100, offset: int = 0, reason: str | None = None
    ) -> tuple[Sequence[Failure], int]:
        those = [f for n in range(3) if reason in (None, (f := Failure(f"p{n}")).reason)]
        return those[offset : offset + limit], len(those)

    def failure_counts(self, *, reason: str | None = None) -> dict[str, int]:
        return {"truncated": 3} if reason in (None, "truncated") else {}

    def warnings(self, *, limit: int = 100) -> Sequence[CatalogueWarning]:
        message = "the color is of no known family"
        warning = CatalogueWarning(
            "unknown_color", message, "shop.csv", id="p8", place="row 4", count=2, at=NOON
        )
        return [warning][:limit]

    def retry_failures(self) -> str:
        return self._queue("retry", None)
