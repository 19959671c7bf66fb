"""The contract of schedules: kept by both stores, and each run is started once."""

from __future__ import annotations

import threading
from dataclasses import replace

from ingest.jobs.models import BULK, IngestRequest, JobState
from ingest.jobs.requests import IngestMode
from ingest.jobs.schedules import KEPT_RUNS, Schedule, ScheduledRun
from ingest.jobs.store import JobStore
from ingest.jobs.work import IngestSource
from ingest.tasks.ingest_job import ingest_job
from tests.contract.jobs.items import claim

REQUEST = IngestRequest("https://shop.example/ü.xml", {"product": {}}, mode=IngestMode.SYNC)
NIGHTLY = Schedule("nightly", REQUEST, ("03:00", "15:30"), "Europe/Berlin", 1_800_000_000)


def start(store: JobStore, schedule: Schedule, next_s: int) -> str | None:
    job, items = ingest_job(schedule.request)
    return job.id if store.start_scheduled(schedule, job, items, next_s=next_s) else None


def run(number: int) -> ScheduledRun:
    return ScheduledRun(f"job-{number}", 1.5, 2.5, 3, done=number, message="ü's feed is empty")


def test_schedules_are_read_back_by_name_and_removed(store: JobStore):
    weekly = replace(NIGHTLY, name="a-stock", zone="UTC")
    for schedule in (NIGHTLY, weekly):
        store.put_schedule(schedule)
    assert store.schedules() == [weekly, NIGHTLY]
    assert store.remove_schedule("a-stock")
    assert not store.remove_schedule("a-stock")
    assert store.schedules() == [NIGHTLY]


def test_a_run_is_accepted_together_with_the_next_time(store: JobStore):
    store.put_schedule(NIGHTLY)
    job_id = start(store, NIGHTLY, 1_800_000_900)
    (schedule,) = store.schedules()
    assert (schedule.due_s, schedule.job_id) == (1_800_000_900, job_id)
    (item,) = claim(store, queue=BULK)
    assert (item.job_id, item.work) == (job_id, IngestSource())
    assert store.job(str(job_id)).request == REQUEST


def test_of_many_that_start_the_same_run_one_does(store: JobStore):
    store.put_schedule(NIGHTLY)
    (schedule,) = store.schedules()
    gate = threading.Barrier(8)
    started: list[str | None] = []

    def worker() -> None:
        gate.wait(timeout=60)
        started.append(start(store, schedule, 1_800_000_900))

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(started) == 8
    (job_id,) = [job_id for job_id in started if job_id is not None]
    assert [job.id for job in store.jobs(limit=99)] == [job_id]
    assert store.schedules()[0].job_id == job_id


def test_what_was_removed_or_changed_meanwhile_is_not_started(store: JobStore):
    store.put_schedule(NIGHTLY)
    assert start(store, replace(NIGHTLY, due_s=1), 2) is None
    store.remove_schedule("nightly")
    assert start(store, NIGHTLY, 2) is None
    assert store.jobs(limit=9) == []
    assert store.schedules() == []


def test_the_latest_results_are_kept_newest_first_and_each_once(store: JobStore):
    store.put_schedule(NIGHTLY)
    for number in range(KEPT_RUNS + 3):
        store.note_run("nightly", run(number))
        store.note_run("nightly", run(number))
    store.note_run("nightly", run(KEPT_RUNS))
    (schedule,) = store.schedules()
    assert schedule.runs == tuple(run(number) for number in range(KEPT_RUNS + 2, 2, -1))
    store.note_run("unknown", run(1))
    assert store.schedules() == [schedule]
    store.put_schedule(NIGHTLY)
    assert store.schedules()[0].runs == ()


def test_a_run_goes_on_when_its_schedule_is_removed(store: JobStore):
    store.put_schedule(NIGHTLY)
    job_id = start(store, NIGHTLY, 1_800_000_900)
    store.remove_schedule("nightly")
    assert store.job(str(job_id)).state is JobState.QUEUED
    assert len(claim(store, queue=BULK)) == 1
