"""The contract of the job store, on SQLite and on Redis."""

from __future__ import annotations

import random
import threading
import time

import pytest

from ingest.jobs.models import BULK, WRITES, Done, GiveUp, Item, Job, JobState, Kind, NewItem, Retry
from ingest.jobs.store import SUSPICIOUS, JobStore
from tests.contract.jobs.items import claim, expire, upsert
from vitrine.errors import NotFound


def test_a_job_is_read_back_as_it_was_accepted(store: JobStore):
    store.add(Job("a", Kind.PATCH, {"x": [1, "ü"]}, total=2), [])
    job = store.job("a")
    assert (job.kind, job.request, job.state, job.total, job.done) == (
        Kind.PATCH,
        {"x": [1, "ü"]},
        JobState.QUEUED,
        2,
        0,
    )
    assert job.created == job.updated
    assert job.rate is None
    assert job.eta_s is None


def test_an_unknown_job_is_not_found(store: JobStore):
    with pytest.raises(NotFound, match="'nobody'"):
        store.job("nobody")


def test_jobs_are_listed_newest_first_and_the_oldest_ended_are_forgotten(store: JobStore):
    for name in "abcd":
        upsert(store, name, name)
    for name in "abc":
        store.end(name, JobState.DONE)
    assert [job.id for job in store.jobs(limit=3)] == ["d", "c", "b"]
    store.prune_jobs(keep=1)
    assert [job.id for job in store.jobs(limit=10)] == ["d", "c"]
    assert [job.id for job in store.active()] == ["d"]


def test_items_come_in_order_and_carry_what_was_accepted(store: JobStore):
    upsert(store, "a", "p1", "p2", "p3")
    items = claim(store, limit=2)
    assert [(i.key, i.body, i.attempts, i.job_id) for i in items] == [
        ("p1", {"v": "a/0"}, 1, "a"),
        ("p2", {"v": "a/1"}, 1, "a"),
    ]
    assert [i.key for i in claim(store)] == ["p3"]
    assert claim(store) == []
    assert store.job("a").state is JobState.RUNNING


def test_writes_of_one_product_come_one_after_the_other_and_others_pass(store: JobStore):
    upsert(store, "a", "p", "p", "q")
    upsert(store, "b", "p")
    first = claim(store)
    assert [(i.key, i.body["v"]) for i in first] == [("p", "a/0"), ("q", "a/2")]
    assert claim(store) == []
    store.settle([Done(first[0])])
    second = claim(store)
    assert [i.body["v"] for i in second] == ["a/1"]
    store.settle([Retry(second[0], 60, 1)])
    assert claim(store) == [], "a later write of p must wait for the earlier one"


def test_a_job_ends_with_its_last_item(store: JobStore):
    upsert(store, "a", "p", "q")
    first, second = claim(store)
    store.settle([Done(first)])
    assert store.job("a").state is JobState.RUNNING
    store.settle([GiveUp(second, "decode", "truncated", "the file ends early")])
    job = store.job("a")
    assert (job.state, job.done, job.failed_items, job.error, job.eta_s) == (
        JobState.DONE,
        1,
        1,
        "the file ends early",
        0,
    )
    assert store.active() == []


def test_a_job_of_which_nothing_worked_has_failed(store: JobStore):
    upsert(store, "a", "p")
    store.settle([GiveUp(claim(store)[0], "read", "missing", "no picture")])
    assert (store.job("a").state, store.job("a").error) == (JobState.FAILED, "no picture")


def test_an_item_whose_worker_died_is_taken_again_and_the_dead_worker_settles_nothing(
    store: JobStore,
):
    upsert(store, "a", "p")
    (lost,) = claim(store)
    expire(store, [lost])
    (again,) = claim(store)
    assert (again.seq, again.attempts) == (lost.seq, 2)
    store.settle([Done(lost)])
    assert not store.renew([lost], lease_s=60)
    assert store.job("a").done == 0
    store.settle([Done(again)])
    assert (store.job("a").done, store.job("a").state) == (1, JobState.DONE)


def test_a_renewed_lease_holds(store: JobStore):
    upsert(store, "a", "p")
    items = claim(store, lease_s=1)
    assert store.renew(items, lease_s=60)
    time.sleep(1.1)
    assert claim(store) == []
    assert (
        store.held(WRITES),
        store.held(WRITES, job_id="a"),
        store.held(WRITES, job_id="b"),
        store.held(BULK),
    ) == (1, 1, 0, 0)


def test_an_item_to_be_tried_again_waits_its_time_and_keeps_its_count(store: JobStore):
    upsert(store, "a", "p", "q")
    first, second = claim(store)
    store.settle([Retry(first, 1.0, 0), Done(second)])
    assert claim(store) == []
    assert store.waiting() == 0
    time.sleep(1.1)
    assert store.waiting() == 1
    assert [(i.key, i.attempts) for i in claim(store)] == [("p", 1)]


def test_an_item_that_seems_to_kill_workers_comes_alone(store: JobStore):
    upsert(store, "a", "p", "q", "r")
    for _ in range(SUSPICIOUS):
        items = claim(store, limit=2)
        assert len(items) == 2
        expire(store, items)
    assert [i.key for i in claim(store)] == ["p"]
    assert [i.key for i in claim(store)] == ["q"]
    assert [i.key for i in claim(store)] == ["r"]


def test_waiting_counts_what_could_be_taken_now(store: JobStore):
    upsert(store, "a", "p", "p", "q")
    assert store.waiting() == 2
    items = claim(store, limit=1)
    assert store.waiting() == 1
    expire(store, items)
    assert store.waiting() == 2


def test_a_job_with_stages_is_advanced_once_when_nothing_is_open(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [NewItem(BULK, "plan", {})])
    (plan,) = claim(store, queue=BULK)
    assert store.extend("r", [NewItem(BULK, "c1", {"n": 1})], cursor="1")
    assert not store.advance("r", stage="fill", to="finish", items=[])
    store.settle([Done(plan, 0)])
    store.settle([Done(claim(store, queue=BULK)[0], 5)])
    job = store.job("r")
    assert (job.state, job.done, job.cursor, store.open_items("r")) == (JobState.RUNNING, 5, "1", 0)
    assert store.advance("r", stage="fill", to="finish", items=[NewItem(BULK, "f", {})])
    assert not store.advance("r", stage="fill", to="finish", items=[NewItem(BULK, "f", {})])
    assert [i.key for i in claim(store, queue=BULK)] == ["f"]


def test_states_and_totals_are_set_until_the_job_has_ended(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    assert store.enter("r", JobState.VERIFYING)
    assert store.describe("r", total=7, version="v1")
    assert store.end("r", JobState.CANCELLED)
    assert not store.end("r", JobState.DONE)
    assert not store.enter("r", JobState.RUNNING)
    assert not store.describe("r", total=8, version="v2")
    assert not store.extend("r", [NewItem(BULK, "c", {})], cursor="9")
    job = store.job("r")
    assert (job.state, job.total, job.version) == (JobState.CANCELLED, 7, "v1")


def test_ending_a_job_drops_what_nobody_holds_and_lets_holders_finish(store: JobStore):
    upsert(store, "a", "p", "q", "q")
    upsert(store, "b", "p", "q")
    held = claim(store, limit=1)
    store.end("a", JobState.CANCELLED)
    assert [(i.job_id, i.key) for i in claim(store)] == [("b", "q")], (
        "p is still in the hands of a's worker"
    )
    assert not store.renew(held, lease_s=60)
    store.settle([Retry(held[0], 0, 1)])
    assert [(i.job_id, i.key) for i in claim(store)] == [("b", "p")]
    assert store.job("a").done == 0


def test_a_held_item_of_an_ended_job_is_dropped_when_its_lease_runs_out(store: JobStore):
    upsert(store, "a", "p")
    upsert(store, "b", "p")
    items = claim(store)
    store.end("a", JobState.CANCELLED)
    assert claim(store) == []
    expire(store, items)
    assert [i.job_id for i in claim(store)] == ["b"]


def test_dead_letters_are_tried_again_in_their_order_unless_a_later_write_came_through(
    store: JobStore,
):
    upsert(store, "a", "p", "q", "r")
    store.settle([GiveUp(item, "fetch", "unreachable", "no answer") for item in claim(store)])
    assert [letter.key for letter in store.dead(limit=10)] == ["p", "q", "r"]
    first = store.dead(limit=1)[0]
    assert (first.body, first.stage, first.reason, first.message) == (
        {"v": "a/0"},
        "fetch",
        "unreachable",
        "no answer",
    )
    assert abs(first.at_s - time.time()) < 60
    upsert(store, "b", "q")
    store.settle([Done(claim(store)[0])])
    assert [letter.key for letter in store.dead(limit=10)] == ["p", "r"]
    assert store.requeue_dead(Job("again", Kind.RETRY, total=3), [NewItem(BULK, "s", {})]) == 2
    assert store.dead(limit=10) == []
    items = claim(store)
    assert [(i.key, i.body["v"], i.attempts) for i in items] == [("p", "a/0", 1), ("r", "a/2", 1)]
    store.settle([Done(i) for i in items])
    assert store.job("again").state is JobState.RUNNING
    store.settle([Done(i, 3) for i in claim(store, queue=BULK)])
    assert (store.job("again").state, store.job("again").total, store.job("again").done) == (
        JobState.DONE,
        5,
        5,
    )


def test_trying_nothing_again_is_done_at_once(store: JobStore):
    assert store.requeue_dead(Job("again", Kind.RETRY)) == 0
    assert store.job("again").state is JobState.DONE


def test_many_workers_share_the_items_and_each_is_done_once(store: JobStore):
    seed = random.randrange(10**6)
    print("seed", seed)
    upsert(store, "a", *(f"p{random.Random(seed + n).randrange(30)}" for n in range(120)))
    seen: list[Item] = []

    def work() -> None:
        while store.open_items("a"):
            items = claim(store, limit=5)
            seen.extend(items)
            store.settle([Done(i) for i in items])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(i.body["v"] for i in seen) == sorted(f"a/{n}" for n in range(120))
    assert (store.job("a").state, store.job("a").done) == (JobState.DONE, 120)
    for key in {i.key for i in seen}:
        orders = [i.seq for i in seen if i.key == key]
        assert orders == sorted(orders)
