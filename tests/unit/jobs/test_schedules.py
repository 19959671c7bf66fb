"""When a schedule runs: at its times, whatever the clocks do, once, and never two at a time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.jobs.models import BULK, Done, IngestRequest, JobState, SourceReport
from ingest.jobs.schedules import Schedule, next_due
from ingest.jobs.sqlite_store import SqliteStore
from ingest.tasks.scheduling import Scheduler
from vitrine.errors import Conflict, InvalidQuery, NotFound

REQUEST = IngestRequest("https://shop.example/feed.xml")


def at(text: str) -> float:
    """Seconds since 1970 of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local(moment_s: float, zone: str = "Europe/Berlin") -> str:
    return datetime.fromtimestamp(moment_s, ZoneInfo(zone)).strftime("%d %H:%M %Z")


@pytest.mark.parametrize(
    ("after", "times", "due"),
    [
        ("2026-01-10T01:59", ["03:00"], "10 03:00 CET"),
        ("2026-01-10T02:00", ["03:00"], "11 03:00 CET"),
        ("2026-01-10T12:00", ["03:00", "15:30"], "10 15:30 CET"),
        ("2026-07-31T22:30", ["03:00"], "01 03:00 CEST"),
        # on 29 March 2026 the clocks skip from 2:00 to 3:00
        ("2026-03-28T12:00", ["02:30"], "29 03:30 CEST"),
        ("2026-03-29T01:30", ["02:30"], "30 02:30 CEST"),
        # on 25 October 2026 they show 2:00 to 3:00 twice
        ("2026-10-24T12:00", ["02:30"], "25 02:30 CEST"),
        ("2026-10-25T00:30", ["02:30"], "26 02:30 CET"),
        ("2026-10-25T00:45", ["02:30"], "26 02:30 CET"),
    ],
)
def test_the_next_time_is_that_of_the_place(after: str, times: list[str], due: str):
    assert local(next_due(times, "Europe/Berlin", at(after))) == due


def test_a_year_of_runs_comes_once_a_day_in_every_zone():
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for zone in ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"):
        text = f"{chance.randrange(24):02d}:{chance.randrange(60):02d}"
        moment, days = at("2026-01-01T00:00"), []
        while moment < at("2026-12-30T00:00"):
            moment = next_due([text], zone, moment)
            days.append(datetime.fromtimestamp(moment, ZoneInfo(zone)).date())
        gaps = {later - earlier for earlier, later in itertools.pairwise(days)}
        assert gaps == {timedelta(days=1)}, (zone, text, seed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "every night"}, "name"),
        ({"name": ""}, "name"),
        ({"times": []}, "times"),
        ({"times": ["3:00"]}, "times"),
        ({"times": ["24:00"]}, "times"),
        ({"times": ["03:00:00"]}, "times"),
        ({"zone": "Berlin"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(changes: dict[str, object], field: str):
    planned = {"name": "nightly", "times": ["03:00"], "zone": "UTC", **changes}
    name = str(planned.pop("name"))
    with pytest.raises(InvalidQuery) as refused:
        Schedule.planned(name, REQUEST, now_s=0, **planned)  # type: ignore[arg-type]
    assert [error.field for error in refused.value.errors] == [field]


class Clock:
    def __init__(self) -> None:
        self.now = at("2026-06-01T12:00")

    def __call__(self) -> float:
        return self.now


class Bureau:
    """A job store, and the schedulers of several workers that read one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.path = Clock(), folder / "jobs.db"
        self.store = SqliteStore(self.path)
        self.scheduler = Scheduler(self.store, clock=self.clock)
        planned = Schedule.planned(
            "nightly", REQUEST, times=["03:00"], zone="UTC", now_s=self.clock.now
        )
        self.store.put_schedule(planned)

    @property
    def schedule(self) -> Schedule:
        (schedule,) = self.store.schedules()
        return schedule

    def jobs(self) -> list[str]:
        return [job.id for job in self.store.jobs(limit=99)]

    def work(self, report: SourceReport) -> None:
        """Do what is queued, with that result."""
        (item,) = self.store.claim(BULK, limit=9, lease_s=60)
        self.store.settle([Done(item, report.done, report.failed, report=report)])


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path)
    yield made
    made.store.close()


def test_nothing_begins_before_its_time_and_one_run_at_it(bureau: Bureau):
    bureau.scheduler.look()
    assert bureau.jobs() == []
    bureau.clock.now = at("2026-06-02T03:00:04")
    for _ in range(3):
        bureau.scheduler.look()
    assert len(bureau.jobs()) == 1
    assert bureau.schedule.due_s == at("2026-06-03T03:00")


def test_a_restart_neither_loses_nor_repeats_a_run(bureau: Bureau):
    bureau.clock.now = at("2026-06-02T03:00")
    bureau.scheduler.look()
    again = SqliteStore(bureau.path)
    Scheduler(again, clock=bureau.clock).look()
    assert len(again.jobs(limit=9)) == 1
    assert again.schedules()[0].due_s == at("2026-06-03T03:00")
    again.close()


def test_nights_without_a_worker_are_made_up_for_once(bureau: Bureau):
    bureau.clock.now = at("2026-06-05T10:00")
    bureau.scheduler.look()
    assert len(bureau.jobs()) == 1
    assert bureau.schedule.due_s == at("2026-06-06T03:00")


def test_a_run_that_comes_due_while_the_last_goes_on_begins_after_it(bureau: Bureau):
    bureau.clock.now = at("2026-06-02T03:00")
    bureau.scheduler.look()
    bureau.clock.now = at("2026-06-03T03:00")
    bureau.scheduler.look()
    assert len(bureau.jobs()) == 1
    bureau.work(SourceReport(done=5, settled=True))
    bureau.scheduler.look()
    assert len(bureau.jobs()) == 2


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (SourceReport(done=9, unchanged=8, left_out=2, removed=1, settled=True), 0),
        (SourceReport(done=9, failed=1, settled=True), 1),
    ],
)
def test_the_result_is_kept_when_the_job_is_forgotten(
    bureau: Bureau, report: SourceReport, status: int
):
    bureau.clock.now = at("2026-06-02T03:00")
    bureau.scheduler.look()
    bureau.work(report)
    for _ in range(2):
        bureau.scheduler.look()
    bureau.store.prune_jobs(keep=0, older_than_s=-1)
    bureau.scheduler.look()
    (run,) = bureau.schedule.runs
    assert (run.exit_status, run.done, run.unchanged) == (status, 9, report.unchanged)
    assert (run.failed, run.left_out, run.removed) == (
        report.failed,
        report.left_out,
        report.removed,
    )
    assert run.seconds >= 0


@pytest.mark.parametrize(
    ("state", "refused", "status"),
    [
        (JobState.FAILED, True, 3),
        (JobState.FAILED, False, 2),
        (JobState.CANCELLED, False, 130),
    ],
)
def test_a_run_that_did_not_come_to_its_end_says_why(
    bureau: Bureau, state: JobState, refused: bool, status: int
):
    bureau.clock.now = at("2026-06-02T03:00")
    bureau.scheduler.look()
    (job_id,) = bureau.jobs()
    bureau.store.report(job_id, SourceReport(refused=refused))
    bureau.store.end(job_id, state, error="18 of 20 live products are not in it")
    bureau.scheduler.look()
    (run,) = bureau.schedule.runs
    assert (run.exit_status, run.message) == (status, "18 of 20 live products are not in it")


def test_a_run_can_be_started_by_hand_besides_its_times(bureau: Bureau):
    job_id = bureau.scheduler.run_now("nightly")
    assert bureau.jobs() == [job_id]
    assert bureau.schedule.due_s == at("2026-06-02T03:00")
    with pytest.raises(Conflict) as busy:
        bureau.scheduler.run_now("nightly")
    assert busy.value.job_id == job_id
    bureau.work(SourceReport(done=1, settled=True))
    bureau.scheduler.run_now("nightly")
    assert [run.job_id for run in bureau.schedule.runs] == [job_id]
    with pytest.raises(NotFound):
        bureau.scheduler.run_now("weekly")
