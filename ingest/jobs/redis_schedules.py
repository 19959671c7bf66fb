"""Schedules in Redis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from ingest.jobs.models import Job, NewItem
from ingest.jobs.redis_connection import RedisConnection
from ingest.jobs.redis_records import stored_job
from ingest.jobs.schedules import KEPT_RUNS, Schedule, ScheduledRun

__all__ = ["RedisSchedules"]


class RedisSchedules(RedisConnection):
    """The part of the store that keeps schedules."""

    def put_schedule(self, schedule: Schedule) -> None:
        self._change(
            "put_schedule", name=schedule.name, terms=schedule.terms(), due=str(schedule.due_s)
        )

    def schedules(self) -> list[Schedule]:
        names = sorted(self._read("smembers", "schedules"))
        stored = self._many("hgetall", [f"schedule:{name}" for name in names])
        runs = self._many("lrange", [f"runs:{name}" for name in names], 0, -1)
        return [
            Schedule.of(
                name,
                fields["terms"],
                due_s=int(fields["due"]),
                job_id=fields["job"] or None,
                runs=f"[{', '.join(noted)}]",
            )
            for name, fields, noted in zip(names, stored, runs, strict=True)
            if fields
        ]

    def remove_schedule(self, name: str) -> bool:
        return bool(self._change("remove_schedule", name=name))

    def start_scheduled(
        self, schedule: Schedule, job: Job, items: Sequence[NewItem], *, next_s: int
    ) -> bool:
        started = self._change(
            "start_scheduled",
            name=schedule.name,
            due=str(schedule.due_s),
            before=schedule.job_id or "",
            next=str(next_s),
            id=job.id,
            **stored_job(job, items),
        )
        return bool(started)

    def note_run(self, name: str, run: ScheduledRun) -> None:
        self._change(
            "note_run", name=name, id=run.job_id, run=json.dumps(asdict(run)), keep=KEPT_RUNS
        )
