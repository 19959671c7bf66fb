"""`/v1/admin/schedules`: catalogues that workers ingest at fixed times."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from ingest.jobs.schedules import Schedule, ScheduledRun
from service.accepting import ingest_request, queued
from service.auth import require_admin
from service.container import current_admin
from service.models.base import answer
from service.models.jobs import QueuedAnswer
from service.models.schedules import (
    ScheduleAnswer,
    ScheduleBody,
    ScheduledRunAnswer,
    SchedulePath,
    SchedulesAnswer,
)

__all__ = ["schedules"]

schedules = APIBlueprint(
    "schedules", __name__, abp_tags=[Tag(name="Admin")], abp_security=[{"admin": []}]
)
schedules.before_request(require_admin)


@schedules.get("/v1/admin/schedules", responses={200: SchedulesAnswer})
def list_schedules() -> Response:
    """List the schedules with their next time and latest results."""
    listed = [_answer(schedule) for schedule in current_admin().schedules()]
    return answer(SchedulesAnswer(schedules=listed))


@schedules.post("/v1/admin/schedules", responses={201: ScheduleAnswer})
def add_schedule(body: ScheduleBody) -> Response:
    """Have a catalogue ingested every day at fixed times; 409 for a name that is taken."""
    planned = current_admin().add_schedule(
        body.name, ingest_request(body), times=body.times, zone=body.zone
    )
    return answer(_answer(planned), 201)


@schedules.delete("/v1/admin/schedules/<name>", responses={204: None})
def remove_schedule(path: SchedulePath) -> Response:
    """Remove a schedule; a run in progress continues."""
    current_admin().remove_schedule(path.name)
    return Response(status=204)


@schedules.post("/v1/admin/schedules/<name>/run", responses={202: QueuedAnswer})
def run_schedule(path: SchedulePath) -> Response:
    """Run a schedule now; 409 names the job while its last run is under way."""
    return queued(current_admin().run_schedule(path.name))


def _answer(schedule: Schedule) -> ScheduleAnswer:
    request = schedule.request
    return ScheduleAnswer(
        name=schedule.name,
        source=request.source,
        mode=request.mode,
        allow_shrink=request.allow_shrink,
        times=list(schedule.times),
        zone=schedule.zone,
        due=datetime.fromtimestamp(schedule.due_s, UTC),
        job_id=schedule.job_id,
        runs=[_run(run) for run in schedule.runs],
    )


def _run(run: ScheduledRun) -> ScheduledRunAnswer:
    values = {name: value for name, value in asdict(run).items() if name != "began_s"}
    return ScheduledRunAnswer(**values, began=datetime.fromtimestamp(run.began_s, UTC))
