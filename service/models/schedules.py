"""What is asked and answered about schedules."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.models.base import Answer, Parameters, Text
from service.models.jobs import IngestBody

__all__ = [
    "ScheduleAnswer",
    "ScheduleBody",
    "SchedulePath",
    "ScheduledRunAnswer",
    "SchedulesAnswer",
]


class ScheduleBody(IngestBody):
    """A catalogue to ingest every day at fixed times."""

    name: Text = Field(min_length=1, max_length=64, description="of the schedule, such as nightly")
    times: list[Text] = Field(
        min_length=1, max_length=96, description="times of the day, such as 03:00"
    )
    zone: Text = Field(default="UTC", description="their time zone, such as Europe/Berlin")


class SchedulePath(Parameters):
    """The schedule that a path names."""

    name: str


class ScheduledRunAnswer(Answer):
    """What came of a run."""

    job_id: str
    began: datetime
    seconds: float
    exit_status: int = Field(
        description="that of `vitrine ingest`: 0 success, 1 some failed, 2 could not run, "
        "3 nothing changed because the source looked wrong, 130 cancelled"
    )
    done: int = Field(description="rows that are in the index")
    unchanged: int = Field(description="those of them that had not changed")
    failed: int
    left_out: int
    removed: int
    message: str | None = Field(description="why it failed or changed nothing")


class ScheduleAnswer(Answer):
    """A schedule, when it runs next and what came of its latest runs, newest first."""

    name: str
    source: str
    mode: str
    allow_shrink: bool
    times: list[str]
    zone: str
    due: datetime = Field(description="when it runs next")
    job_id: str | None = Field(description="the job of its latest run")
    runs: list[ScheduledRunAnswer]


class SchedulesAnswer(Answer):
    """All schedules by name."""

    schedules: list[ScheduleAnswer]
