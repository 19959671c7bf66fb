"""`vitrine schedule` as an operator types it, and two workers that run what it set."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.commands import ingest
from ingest.jobs.factory import open_store
from ingest.jobs.models import IngestRequest
from ingest.jobs.schedules import Schedule
from ingest.schedule_commands import schedule
from ingest.stop_request import StopRequest
from ingest.worker import Worker
from tests.support.waiting import until
from tests.unit.jobs.test_ingest_job import ROWS, Desk
from vitrine.cli import vitrine
from vitrine.errors import InvalidMapping, InvalidQuery, NotFound
from vitrine.settings import Settings

FEED = "https://shop.example/feed.xml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(schedule, arguments)


def planned(folder: Path) -> list[Schedule]:
    store = open_store(Settings(data_dir=folder))
    listed = store.schedules()
    store.close()
    return listed


def test_a_schedule_is_added_listed_and_removed(folder: Path):
    added = call("add", "nightly", FEED, "--at", "03:00", "--at", "15:30", "--sync",
                 "--zone", "Europe/Berlin", "--currency", "EUR", "--language", "de")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "nightly: next at " in added.output
    (listed,) = planned(folder)
    assert listed.request == IngestRequest(FEED, currency="EUR", language="de", mode="sync")
    assert (listed.times, listed.zone) == (("03:00", "15:30"), "Europe/Berlin")
    text = call("list").output
    assert f"nightly: {FEED} --sync" in text
    assert "daily at 03:00, 15:30 (Europe/Berlin), next 20" in text
    assert json.loads(call("list", "--json").output)[0]["name"] == "nightly"
    assert call("remove", "nightly").exit_code == 0
    assert planned(folder) == []
    assert isinstance(call("remove", "nightly").exception, NotFound)


def test_a_relative_path_is_the_same_file_for_a_worker_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "shop.csv").write_text("id,title,image\n1,Mug,a.png\n")
    monkeypatch.chdir(folder)
    assert call("add", "files", "shop.csv", "--at", "03:00").exit_code == 0
    assert call("add", "data-set", "acme/mugs", "--at", "03:00").exit_code == 0
    sources = {each.name: each.request.source for each in planned(folder)}
    assert sources == {"files": str(folder / "shop.csv"), "data-set": "acme/mugs"}


@pytest.mark.parametrize("words", ["jobs", "versions", "keys list", "schedule list"])
def test_an_empty_list_says_so(folder: Path, words: str):
    result = CliRunner().invoke(vitrine, words.split())
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("no ")


def test_a_mapping_travels_with_the_schedule(folder: Path):
    mapping = folder / "shop.toml"
    mapping.write_text('[product]\nid = "sku"\ntitle = "name"\nimages = "photo"\nprice = "eur"\n')
    added = call("add", "n", FEED, "--at", "03:00", "--map", str(mapping), "--currency", "EUR")
    assert added.exit_code == 0, added.output
    mapping.unlink()
    (listed,) = planned(folder)
    assert listed.request.mapping is not None
    assert listed.request.mapping["product"]["currency"] == "EUR"
    wrong = call("add", "m", FEED, "--at", "03:00", "--map", str(mapping))
    assert isinstance(wrong.exception, InvalidMapping)


@pytest.mark.slow
def test_two_workers_run_what_is_due_once_and_note_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.worker._RECOVER_S", 0.05)
    desk = Desk(tmp_path)
    request = IngestRequest(str(desk.catalogue()))
    past = Schedule.planned("nightly", request, times=["03:00"], zone="UTC", now_s=0)
    desk.store.put_schedule(past)
    stop = StopRequest()
    stores = [open_store(desk.shop.vitrine.settings) for _ in range(2)]
    workers = [
        threading.Thread(target=Worker(desk.shop.vitrine, store).run, args=(stop,))
        for store in stores
    ]
    for worker in workers:
        worker.start()
    try:
        until(lambda: desk.store.schedules()[0].runs, "the schedule runs")
    finally:
        stop.set()
        for worker in workers:
            worker.join(timeout=120)
        for store in stores:
            store.close()
    (listed,) = desk.store.schedules()
    (result,) = listed.runs
    assert (result.exit_status, result.done, result.failed) == (0, ROWS, 0)
    assert [job.id for job in desk.store.jobs(limit=9)] == [result.job_id]
    assert listed.due_s > time.time()
    assert len(desk.live_ids()) == ROWS
    desk.admin.close()


def test_what_cannot_be_meant_is_refused_by_the_option_that_was_typed(folder: Path):
    refused = call("add", "ni ght", FEED, "--at", "25:00", "--zone", "Berlin").exception
    assert isinstance(refused, InvalidQuery)
    assert [fault.field for fault in refused.errors] == ["NAME", "--at", "--zone"]
    assert "'25:00' is not a time of the day; write 03:00" in str(refused)


def test_a_source_either_updates_or_replaces_the_index(folder: Path):
    both = ("--sync", "--replace")
    planning = call("add", "nightly", FEED, "--at", "03:00", *both)
    ingesting = CliRunner().invoke(ingest, ["feed.csv", *both])
    for refused in (planning, ingesting):
        assert refused.exit_code == 2
        assert "give --sync or --replace, not both" in refused.output
    assert planned(folder) == []
