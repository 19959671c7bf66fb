"""Schedules over HTTP: set, listed with their results, run and removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ingest.jobs.models import IngestRequest
from ingest.jobs.schedules import ScheduledRun
from tests.unit.service.conftest import TOKEN, Shop

BEARER = {"Authorization": f"Bearer {TOKEN}"}
NIGHTLY = {
    "name": "nightly",
    "source": "https://shop.example/feed.xml",
    "mode": "sync",
    "times": ["03:00"],
    "zone": "Europe/Berlin",
}


def add(shop: Shop, **changes: Any) -> Any:
    return shop.client.post("/v1/admin/schedules", json={**NIGHTLY, **changes}, headers=BEARER)


def test_a_schedule_is_set_listed_and_removed(shop: Shop):
    answer = add(shop)
    assert answer.status_code == 201
    assert answer.get_json()["due"] == "2026-01-02T02:00:00Z"
    (listed,) = shop.client.get("/v1/admin/schedules", headers=BEARER).get_json()["schedules"]
    assert listed == answer.get_json()
    assert (listed["times"], listed["zone"], listed["runs"]) == (["03:00"], "Europe/Berlin", [])
    removed = shop.client.delete("/v1/admin/schedules/nightly", headers=BEARER)
    assert removed.status_code == 204
    again = shop.client.delete("/v1/admin/schedules/nightly", headers=BEARER)
    assert again.status_code == 404


def test_a_name_that_is_taken_is_a_conflict(shop: Shop):
    assert add(shop).status_code == 201
    assert add(shop).status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"times": ["3 o'clock"]}, "times"),
        ({"times": []}, "times"),
        ({"zone": "Berlin"}, "zone"),
        ({"name": "a b"}, "name"),
        ({"mode": "shrink"}, "mode"),
        ({"source": ""}, "source"),
        ({"mapping": {"product": {}}}, "product.id"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(shop: Shop, changes: Any, field: str):
    answer = add(shop, **changes)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.get_json()["errors"]]
    assert shop.jobs.planned == {}


def test_a_schedule_is_run_now(shop: Shop):
    add(shop)
    answer = shop.client.post("/v1/admin/schedules/nightly/run", headers=BEARER)
    assert answer.status_code == 202
    job_id = answer.get_json()["job_id"]
    assert shop.jobs.asked[job_id] == IngestRequest(str(NIGHTLY["source"]), mode="sync")
    unknown = shop.client.post("/v1/admin/schedules/weekly/run", headers=BEARER)
    assert unknown.status_code == 404


def test_the_latest_results_are_told_with_what_they_mean(shop: Shop):
    add(shop)
    run = ScheduledRun("job-7", 0.0, 12.5, 3, done=2, message="18 of 20 live products")
    shop.jobs.planned["nightly"] = replace(shop.jobs.planned["nightly"], runs=(run,))
    (listed,) = shop.client.get("/v1/admin/schedules", headers=BEARER).get_json()["schedules"]
    assert listed["runs"] == [
        {
            "job_id": "job-7",
            "began": "1970-01-01T00:00:00Z",
            "seconds": 12.5,
            "exit_status": 3,
            "done": 2,
            "unchanged": 0,
            "failed": 0,
            "left_out": 0,
            "removed": 0,
            "message": "18 of 20 live products",
        }
    ]
