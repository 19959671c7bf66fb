"""The contract of the job store for a reindex: its lock, dirty keys and write barrier."""

from __future__ import annotations

import time

import pytest

from ingest.jobs.models import BULK, Done, Job, JobState, Kind
from ingest.jobs.store import CATALOGUE, JobStore
from tests.contract.jobs.items import claim, owner, step, upsert
from vitrine.errors import Conflict


def test_only_one_reindex_runs_at_a_time(store: JobStore):
    store.add(Job("r1", Kind.REINDEX, stage="fill"), [])
    with pytest.raises(Conflict, match="job r1 is running") as refused:
        store.add(Job("r2", Kind.REINDEX, stage="fill"), [])
    assert refused.value.job_id == "r1"
    assert owner(store.lock(CATALOGUE, "an ingest", lease_s=60)) == "r1"
    assert [job.id for job in store.jobs(limit=9)] == ["r1"]
    store.end("r1", JobState.FAILED, error="because")
    store.add(Job("r2", Kind.REINDEX, stage="fill"), [])
    assert store.job("r1").error == "because"


def test_a_lock_of_a_dead_holder_frees_itself(store: JobStore):
    assert store.lock(CATALOGUE, "ingest 1", lease_s=60) is None
    assert store.lock(CATALOGUE, "ingest 1", lease_s=60) is None
    assert owner(store.lock(CATALOGUE, "ingest 2", lease_s=60)) == "ingest 1"
    with pytest.raises(Conflict, match="ingest 1 is running") as refused:
        store.add(Job("r", Kind.REINDEX), [])
    assert refused.value.job_id is None
    assert store.lock(CATALOGUE, "ingest 1", lease_s=0.001) is None
    time.sleep(0.01)
    assert store.holder(CATALOGUE) is None
    assert store.lock(CATALOGUE, "ingest 2", lease_s=60) is None
    store.unlock(CATALOGUE, "ingest 1")
    assert owner(store.holder(CATALOGUE)) == "ingest 2"
    store.unlock(CATALOGUE, "ingest 2")
    assert store.holder(CATALOGUE) is None


def test_without_a_reindex_writes_leave_no_marks(store: JobStore):
    upsert(store, "a", "p")
    store.settle([Done(claim(store)[0])])
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    assert store.dirty_keys("r", limit=10) == []


def test_a_write_is_marked_when_it_is_taken_and_again_when_it_is_settled(store: JobStore):
    upsert(store, "a", "before", "during")
    (early,) = claim(store, limit=1)
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    (late,) = claim(store)
    assert store.dirty_keys("r", limit=10) == [], (
        "products being written now are left for the next round"
    )
    store.settle([Done(early), Done(late)])
    found = store.dirty_keys("r", limit=10)
    assert sorted(mark.key for mark in found) == ["before", "during"]
    assert len(store.dirty_keys("r", limit=1)) == 1


def test_a_mark_stays_when_the_product_was_written_again(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    upsert(store, "a", "p", "q")
    store.settle([Done(i) for i in claim(store)])
    seen = store.dirty_keys("r", limit=10)
    upsert(store, "b", "p")
    store.settle([Done(i) for i in claim(store)])
    store.clear_dirty("r", seen)
    assert [mark.key for mark in store.dirty_keys("r", limit=10)] == ["p"]


def test_behind_a_closed_gate_writes_wait_and_chunks_do_not(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [step("c")])
    upsert(store, "a", "p", "q")
    held = claim(store, limit=1)
    assert store.raise_write_barrier("r")
    assert claim(store) == []
    assert store.waiting() == 1
    assert [i.key for i in claim(store, queue=BULK)] == ["c"]
    store.settle([Done(held[0])])
    assert [m.key for m in store.dirty_keys("r", limit=10)] == ["p"]
    store.lift_write_barrier("r")
    assert [i.key for i in claim(store)] == ["q"]
    store.end("r", JobState.DONE)
    assert store.dirty_keys("r", limit=10) == []


def test_the_gate_of_an_ended_job_is_open(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    store.raise_write_barrier("r")
    upsert(store, "a", "p")
    store.end("r", JobState.CANCELLED)
    assert not store.raise_write_barrier("r")
    assert [i.key for i in claim(store)] == ["p"]
