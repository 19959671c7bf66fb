"""The contract of the job store, on SQLite and on Redis."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime

import pytest

from ingest.jobs.models import (
    BULK,
    WRITES,
    Done,
    GiveUp,
    Job,
    JobState,
    Kind,
    NewItem,
    QueueStats,
    ReindexRequest,
    Retry,
    WorkItem,
)
from ingest.jobs.processes import this_process
from ingest.jobs.store import SUSPICIOUS, JobStore
from ingest.jobs.work import (
    CopyRange,
    DeleteProduct,
    FillFromSource,
    FinishReindex,
    PatchProduct,
    PlanReindex,
    PurgeProduct,
    RemotePicture,
    RetrySource,
    StoredPicture,
    UpsertProduct,
    Work,
)
from tests.contract.jobs.items import body, claim, expire, step, upsert, write
from tests.support.waiting import until
from vitrine.errors import NotFound
from vitrine.products import Product


def test_a_job_is_read_back_as_it_was_accepted(store: JobStore):
    store.add(Job("a", Kind.PATCH, ReindexRequest("ü.csv", verify=False), total=2), [])
    job = store.job("a")
    assert (job.kind, job.request, job.state, job.total, job.done) == (
        Kind.PATCH,
        ReindexRequest("ü.csv", verify=False),
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
    store.prune_jobs(keep=1, older_than_s=0)
    assert [job.id for job in store.jobs(limit=10)] == ["d", "c"]
    assert [job.id for job in store.active()] == ["d"]


def test_items_come_in_order_and_carry_what_was_accepted(store: JobStore):
    upsert(store, "a", "p1", "p2", "p3")
    items = claim(store, limit=2)
    assert [(i.key, body(i), i.attempts, i.job_id) for i in items] == [
        ("p1", "a/0", 1, "a"),
        ("p2", "a/1", 1, "a"),
    ]
    assert [i.key for i in claim(store)] == ["p3"]
    assert claim(store) == []
    assert store.job("a").state is JobState.RUNNING


def test_writes_of_one_product_come_one_after_the_other_and_others_pass(store: JobStore):
    upsert(store, "a", "p", "p", "q")
    upsert(store, "b", "p")
    first = claim(store)
    assert [(i.key, body(i)) for i in first] == [("p", "a/0"), ("q", "a/2")]
    assert claim(store) == []
    store.settle([Done(first[0])])
    second = claim(store)
    assert [body(i) for i in second] == ["a/1"]
    store.settle([Retry(second[0], 60, 1, "busy")])
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
    items = claim(store, lease_s=0.5)
    while not store.renew(items, lease_s=60):  # a busy machine was slower than the first lease
        items = claim(store, lease_s=0.5)
    time.sleep(0.6)
    assert claim(store) == []
    assert (
        store.held(WRITES),
        store.held(WRITES, job_id="a"),
        store.held(WRITES, job_id="b"),
        store.held(BULK),
    ) == (1, 1, 0, 0)


def test_an_item_to_be_tried_again_waits_its_time_and_keeps_its_count(store: JobStore):
    upsert(store, "a", "p", "q", "r")
    first, second, third = claim(store)
    store.settle([Retry(first, 600, 0, "busy"), Retry(second, 0.1, 0, "busy"), Done(third)])
    until(store.waiting, "the item waits no more")
    assert store.waiting() == 1
    assert [(i.key, i.attempts) for i in claim(store)] == [("q", 1)]


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
    store.add(Job("r", Kind.REINDEX, stage="fill"), [step("plan")])
    (plan,) = claim(store, queue=BULK)
    assert store.extend("r", [step("c1")], cursor="1")
    assert not store.advance("r", stage="fill", to="finish", items=[])
    store.settle([Done(plan, 0)])
    store.settle([Done(claim(store, queue=BULK)[0], 5)])
    job = store.job("r")
    assert (job.state, job.done, job.cursor, store.open_items("r")) == (JobState.RUNNING, 5, "1", 0)
    assert store.advance("r", stage="fill", to="finish", items=[step("f")])
    assert not store.advance("r", stage="fill", to="finish", items=[step("f")])
    assert [i.key for i in claim(store, queue=BULK)] == ["f"]


def test_states_and_totals_are_set_until_the_job_has_ended(store: JobStore):
    store.add(Job("r", Kind.REINDEX, stage="fill"), [])
    assert store.enter("r", JobState.VERIFYING)
    assert store.describe("r", total=7, version="v1")
    assert store.end("r", JobState.CANCELLED)
    assert not store.end("r", JobState.DONE)
    assert not store.enter("r", JobState.RUNNING)
    assert not store.describe("r", total=8, version="v2")
    assert not store.extend("r", [step("c")], cursor="9")
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
    store.settle([Retry(held[0], 0, 1, "busy")])
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
    assert (body(first), first.stage, first.reason, first.message) == (
        "a/0",
        "fetch",
        "unreachable",
        "no answer",
    )
    assert abs(first.at_s - time.time()) < 60
    upsert(store, "b", "q")
    store.settle([Done(claim(store)[0])])
    assert [letter.key for letter in store.dead(limit=10)] == ["p", "r"]
    assert store.requeue_dead(Job("again", Kind.RETRY, total=3), [step("s")]) == 2
    assert store.dead(limit=10) == []
    items = claim(store)
    assert [(i.key, body(i), i.attempts) for i in items] == [("p", "a/0", 1), ("r", "a/2", 1)]
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
    seen: list[WorkItem] = []

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
    assert sorted(body(i) for i in seen) == sorted(f"a/{n}" for n in range(120))
    assert (store.job("a").state, store.job("a").done) == (JobState.DONE, 120)
    for key in {i.key for i in seen}:
        orders = [i.seq for i in seen if i.key == key]
        assert orders == sorted(orders)


def test_an_ended_job_is_remembered_for_a_time_however_many_came_after_it(store: JobStore):
    for name in ("old", "new", "open"):
        upsert(store, name, name)
    store.end("old", JobState.DONE)
    store.end("new", JobState.DONE)
    store.prune_jobs(keep=0, older_than_s=60)
    assert [job.id for job in store.jobs(limit=9)] == ["open", "new", "old"]
    store.prune_jobs(keep=0, older_than_s=0)
    assert [job.id for job in store.jobs(limit=9)] == ["open"]


def test_a_job_says_what_it_waits_for_and_since_when_until_it_moves(store: JobStore):
    upsert(store, "a", "p")
    for reason in ("the index does not answer", "the index is full"):
        (item,) = claim(store)
        store.settle([Retry(item, 0, 1, reason)])
        job = store.job("a")
        assert job.waiting == reason
        assert job.waiting_since is not None
        assert abs(job.waiting_since.timestamp() - time.time()) < 60
    assert store.stats().waiting_jobs == 1
    store.settle([Done(claim(store)[0])])
    job = store.job("a")
    assert (job.waiting, job.waiting_since) == (None, None)


def test_the_work_to_do_is_counted(store: JobStore):
    assert store.stats() == QueueStats(open_jobs=0, waiting_jobs=0, open_items=0, oldest_s=0)
    upsert(store, "a", "p", "q")
    upsert(store, "b", "r")
    claim(store, limit=1)
    stats = store.stats()
    assert (stats.open_jobs, stats.waiting_jobs, stats.open_items) == (2, 1, 3)
    assert 0 <= stats.oldest_s < 60


def test_what_a_dead_process_held_is_free_at_once(store: JobStore):
    upsert(store, "a", "p", "q")
    claim(store, limit=1)
    assert store.holders() == {str(this_process())}
    store.release("another/pid:[1]/2/3")
    assert store.waiting() == 1
    store.release(str(this_process()))
    assert store.waiting() == 2
    assert [(i.key, i.attempts) for i in claim(store)] == [("p", 2), ("q", 1)]


def test_who_waits_for_work_is_woken_by_it(store: JobStore):
    store.wait_for_work(0.01)
    woken = threading.Event()

    def wait() -> None:
        store.wait_for_work(0.01)
        while not claim(store):
            store.wait_for_work(600)
        woken.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    upsert(store, "a", "p")
    assert woken.wait(60)
    waiting.join()


WORK: list[Work] = [
    UpsertProduct(
        Product(
            "ü",
            "Mug",
            4.5,
            color=("red",),
            colors=("red",),
            attributes={"at": datetime(2026, 1, 2, tzinfo=UTC), "size": ("S", "M"), "wide": True},
        ),
        (StoredPicture("f" * 64), RemotePicture("https://shop.example/b.jpg")),
    ),
    UpsertProduct(Product("a", "b"), (RemotePicture("https://shop.example/ü.jpg"),)),
    UpsertProduct(Product("a", "b")),
    PatchProduct(
        {"price": 1.5, "at": datetime(2026, 1, 2, tzinfo=UTC), "color": ("red",), "x": None}
    ),
    PatchProduct({}, (StoredPicture("e" * 64), RemotePicture("https://shop.example/c.jpg"))),
    DeleteProduct(),
    PurgeProduct(),
    PlanReindex(),
    CopyRange(None, "ü"),
    FillFromSource("a.csv"),
    FinishReindex(),
    RetrySource("b.csv"),
]


def test_every_kind_of_work_comes_back_as_it_was_queued(store: JobStore):
    items = [NewItem(BULK, str(number), work) for number, work in enumerate(WORK)]
    store.add(Job("a", Kind.REINDEX, stage="fill"), items)
    assert [item.work for item in claim(store, queue=BULK, limit=20)] == WORK


def test_pictures_that_writes_name_are_told_also_of_those_that_were_given_up(store: JobStore):
    def upsert_of(key: str) -> NewItem:
        return NewItem(WRITES, key, UpsertProduct(Product(key, key), (StoredPicture(key * 64),)))

    rest = UpsertProduct(Product("d", "d"), (RemotePicture("https://shop.example/d.jpg"),))
    items = [*map(upsert_of, "abc"), NewItem(WRITES, "d", rest), write("e")]
    store.add(Job("a", Kind.UPSERT, total=5), items)
    (first, second) = claim(store, limit=2)
    store.settle([Done(first), GiveUp(second, "image", "truncated", "it ends early")])
    assert store.picture_keys() == {"b" * 64, "c" * 64}
