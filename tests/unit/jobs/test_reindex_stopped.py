"""A reindex that is cancelled, or whose worker dies or is stopped: what is left behind, and that
it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.jobs.models import BULK, JobState
from ingest.tasks.runner import Runner
from tests.fake_index import FakeIndex
from tests.unit.jobs.desk import Desk, same_products, step_until

pytestmark = pytest.mark.slow


def test_a_cancelled_reindex_leaves_the_live_version_and_nothing_else(desk: Desk):
    job_id = desk.admin.reindex()
    step_until(desk, job_id, lambda job: job.done > 0)
    desk.admin.patch("p00001", {"price": 5})
    job = desk.admin.cancel(job_id)
    assert job.state is JobState.CANCELLED
    desk.runner.drain()
    assert desk.live is desk.before
    assert desk.states == ["live"]
    assert desk.live.get(["p00001"])["p00001"].product.price == 5
    assert desk.finish(desk.admin.reindex()).state is JobState.DONE


def test_a_reindex_cancelled_in_the_middle_of_a_chunk_stops_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    real = FakeIndex.upsert
    job_id = desk.admin.reindex()

    def upsert(self: FakeIndex, records: Any) -> None:
        real(self, records)
        if self is not desk.before and desk.admin.job(job_id).state is JobState.RUNNING:
            desk.admin.cancel(job_id)

    monkeypatch.setattr(FakeIndex, "upsert", upsert)
    assert desk.finish(job_id).state is JobState.CANCELLED
    assert desk.states == ["live"]


@pytest.mark.parametrize("step", range(9))
def test_a_worker_that_dies_at_any_step_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: int
):
    """The worker's death is played by its settling nothing and its lease running out."""
    job_id = desk.admin.reindex()
    for _ in range(step):
        desk.runner.step()
    settle = desk.store.settle
    monkeypatch.setattr(desk.store, "settle", lambda outcomes: None)
    desk.runner.step()
    monkeypatch.setattr(desk.store, "settle", settle)
    desk.expire()
    desk.runner.recover()
    desk.runner.drain()
    desk.runner.recover()
    job = desk.finish(job_id)
    assert (job.state, job.failed_items) == (JobState.DONE, 0)
    assert same_products(desk.before, desk.live)
    assert desk.store.open_items(job_id) == 0


def test_a_version_made_by_a_worker_that_died_before_noting_it_is_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    describe = desk.store.describe

    def died(*args: Any, **kwargs: Any) -> bool:
        raise KeyboardInterrupt

    job_id = desk.admin.reindex()
    monkeypatch.setattr(desk.store, "describe", died)
    with pytest.raises(KeyboardInterrupt):
        desk.runner.step()
    monkeypatch.setattr(desk.store, "describe", describe)
    assert desk.states == ["building", "live"]
    desk.expire()
    assert desk.finish(job_id).state is JobState.DONE
    assert desk.states == ["live", "ready"]


def test_a_worker_that_is_stopped_gives_its_chunk_back(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    job_id = desk.admin.reindex()
    step_until(desk, job_id, lambda job: job.done > 0)
    desk.runner.stopping.set()
    desk.runner.step()
    assert desk.store.held(BULK) == 0
    assert desk.admin.job(job_id).state is JobState.RUNNING
    other = Runner(desk.shop.vitrine, desk.store)
    other.drain()
    assert desk.admin.job(job_id).state is JobState.DONE
