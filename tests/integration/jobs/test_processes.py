"""Workers as processes: killed at any moment, or two of them sharing one reindex over Redis."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ingest.admin import Admin
from ingest.failures import open_ledger
from ingest.jobs.models import IngestRequest, Job, JobState
from tests.integration.jobs.program import accept_changes, run_worker
from tests.integration.jobs.test_under_fire import Expected, assert_holds
from tests.redis_server import redis_server
from tests.shop import MAPPING, NEW, OLD, Shop, open_shop, picture, product
from tests.support.forked import Forked
from tests.support.waiting import until
from tests.unit.ingest.test_decoding import await_end
from vitrine.queries import SearchQuery, WeightedText

pytestmark = pytest.mark.timeout(900)

SETTINGS: dict[str, Any] = {
    "job_lease_s": 1.0,
    "chunk_size": 20,
    "write_batch": 20,
    "worker_threads": 1,
    "verify_sample": 5,
}


class Program(Forked):
    """One of `tests.integration.jobs.program`, in a process that may be killed."""

    def kill(self) -> str:
        """kill -9; returns what else it had printed."""
        self.send(signal.SIGKILL)
        return self.rest()

    def stop(self) -> None:
        self.send(signal.SIGTERM)
        self.rest()
        assert self.status == 0


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    """Programs of a test; those that still run when it ends are killed."""
    started: list[Program] = []
    yield started
    for program in started:
        if program.runs:
            program.kill()


def start_worker(programs: list[Program], folder: Path, settings: dict[str, Any]) -> Program:
    program = Program(run_worker, folder, settings)
    programs.append(program)
    assert program.line() == "ready"
    return program


def wait_for(admin: Admin, job_id: str) -> Job:
    until(lambda: admin.job(job_id).state.final, f"job {job_id} ends")
    return admin.job(job_id)


def embedded_by_each(folder: Path) -> list[int]:
    return [
        sum(int(line) for line in notes.read_text().split()) for notes in folder.glob("embedded-*")
    ]


def assert_whole(shop: Shop, count: int) -> None:
    """The live version, whichever it is, has all products and answers."""
    live = shop.vitrine.versions.live()
    assert live.count() == count
    query = SearchQuery(texts=(WeightedText("red"),), limit=5, ranking="vector")
    page = shop.vitrine.engine.search(query)
    assert len(page.hits) == 5


def test_reindexes_survive_kill_9_of_their_worker_at_ten_moments(
    tmp_path: Path, programs: list[Program]
):
    seed, count = random.randrange(10**6), 200
    print("seed", seed)
    chance = random.Random(seed)
    settings = SETTINGS | {"job_lease_s": 0.5}
    shop = open_shop(tmp_path, **settings)
    shop.publish_first(count)
    admin = Admin(shop.vitrine)
    model, job_id = NEW, admin.reindex(model=NEW)
    kills = []
    while len(kills) < 10:
        further = min(count, admin.job(job_id).done + chance.randrange(100))
        worker = start_worker(programs, tmp_path, settings)
        until(lambda wanted=further, running=job_id: admin.job(running).done >= wanted)
        time.sleep(chance.uniform(0, 0.3 if further < count else 2.5))
        worker.kill()
        assert_whole(shop, count)
        job = admin.job(job_id)
        if not job.state.final:
            kills.append(f"{job.state} {job.done}")
        else:
            assert job.state is JobState.DONE
            assert shop.vitrine.versions.live().info.name == job.version
            model = OLD if model == NEW else NEW
            job_id = admin.reindex(model=model)
    print("struck at:", kills)
    worker = start_worker(programs, tmp_path, settings)
    job = wait_for(admin, job_id)
    worker.stop()
    assert (job.state, job.done, job.failed_items, job.error) == (JobState.DONE, count, 0, None)
    live = shop.vitrine.versions.live()
    assert (live.info.name, live.info.model) == (job.version, model)
    assert_holds(shop, live, Expected.first(count))
    assert "building" not in [info.state for info in shop.vitrine.versions.list()]
    admin.close()


def test_an_ingest_survives_kill_9_of_its_worker_and_leaves_no_decoding_process(
    tmp_path: Path, programs: list[Program]
):
    seed, count, broken = random.randrange(10**6), 150, {4, 77}
    print("seed", seed)
    chance = random.Random(seed)
    settings = SETTINGS | {"decode_processes": 2, "job_lease_s": 0.5}
    shop = open_shop(tmp_path, **settings)
    admin = Admin(shop.vitrine)
    source = str(write_catalogue(tmp_path, count, broken))
    job_id = admin.ingest(IngestRequest(source, mapping=MAPPING.to_dict()))
    while sum(embedded_by_each(tmp_path)) < count // 2:
        further = sum(embedded_by_each(tmp_path)) + chance.randrange(1, 30)
        worker = start_worker(programs, tmp_path, settings)
        until(lambda least=further: sum(embedded_by_each(tmp_path)) >= least, "more is embedded")
        decoders = [each.pid for each in psutil.Process(worker.pid).children()]
        worker.kill()
        await_end(decoders)
    worker = start_worker(programs, tmp_path, settings)
    job = wait_for(admin, job_id)
    worker.stop()
    assert (job.state, job.done, job.failed_items) == (
        JobState.DONE,
        count - len(broken),
        len(broken),
    )
    unbroken = set(range(count)) - broken
    expected = Expected(
        {product(n).id: n for n in unbroken}, {product(n).id: float(n) for n in unbroken}
    )
    assert_holds(shop, shop.vitrine.versions.live(), expected)
    failures, total = open_ledger(shop.vitrine.settings).entries()
    assert ({each.row for each in failures}, total) == (broken, len(broken))
    admin.close()


def write_catalogue(folder: Path, count: int, broken: set[int]) -> Path:
    """Products 0 .. count - 1 as a file, with their pictures beside it; some are no pictures."""
    rows = []
    for number in range(count):
        image = folder / f"{number}.png"
        image.write_bytes(b"no picture" if number in broken else picture(number))
        fields = {"id": product(number).id, "title": f"Product {number}", "image": image.name}
        rows.append(fields | {"price": number, "in_stock": True})
    file = folder / "products.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_what_was_acknowledged_survives_kill_9_of_who_accepted_it_and_of_who_does_it(
    tmp_path: Path, programs: list[Program]
):
    seed, count = random.randrange(10**6), 400
    print("seed", seed)
    chance = random.Random(seed)
    shop = open_shop(tmp_path, **SETTINGS)
    shop.publish_first(count)
    acknowledged = -1
    program = Program(accept_changes, tmp_path, SETTINGS, count)
    programs.append(program)
    stop_after = chance.randrange(20, 120)
    worker = start_worker(programs, tmp_path, SETTINGS)
    while acknowledged < stop_after:
        acknowledged = int(program.line())
    worker.kill()
    rest = program.kill().split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    worker = start_worker(programs, tmp_path, SETTINGS)
    admin = Admin(shop.vitrine)
    for job in admin.jobs(limit=1000):
        assert wait_for(admin, job.id).state is JobState.DONE
    worker.stop()
    ids = [product(n).id for n in range(acknowledged + 1)]
    prices = [
        record.product.price for _, record in sorted(shop.vitrine.versions.live().get(ids).items())
    ]
    assert prices == [10_000.0 + n for n in range(acknowledged + 1)]
    print(f"{acknowledged + 1} changes were acknowledged before the kill, all are there")
    admin.close()


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


def test_two_workers_on_redis_share_one_reindex_and_embed_each_product_once(
    tmp_path: Path, programs: list[Program], redis_url: str
):
    count = 400
    settings = SETTINGS | {"queue_url": redis_url, "verify_sample": 0, "job_lease_s": 400.0}
    shop = open_shop(tmp_path, **settings)
    shop.publish_first(count)
    workers = [start_worker(programs, tmp_path, settings) for _ in range(2)]
    admin = Admin(shop.vitrine)
    job = wait_for(admin, admin.reindex())
    for worker in workers:
        worker.stop()
    shares = embedded_by_each(tmp_path)
    print("pictures embedded by each worker:", shares)
    assert (job.state, job.done, job.error) == (JobState.DONE, count, None)
    assert sum(shares) == count
    assert len(shares) == 2
    assert min(shares) > 0
    assert shop.vitrine.versions.live().info.model == NEW
    assert shop.vitrine.versions.live().count() == count
    admin.close()


def test_a_killed_workers_chunk_is_taken_by_the_other(
    tmp_path: Path, programs: list[Program], redis_url: str
):
    count = 200
    settings = SETTINGS | {"queue_url": redis_url, "verify_sample": 0, "job_lease_s": 60.0}
    shop = open_shop(tmp_path, **settings)
    shop.publish_first(count)
    admin = Admin(shop.vitrine)
    job_id = admin.reindex()
    first = start_worker(programs, tmp_path, settings)
    second = start_worker(programs, tmp_path, settings)
    until(lambda: admin.job(job_id).done > 0)
    first.kill()
    job = wait_for(admin, job_id)
    second.stop()
    assert (job.state, job.done) == (JobState.DONE, count)
    assert sum(embedded_by_each(tmp_path)) <= count + 2 * settings["chunk_size"], (
        "only the chunk in the dead worker's hands is done again"
    )
    assert shop.vitrine.versions.live().count() == count
    admin.close()


def test_a_worker_that_is_told_to_stop_leaves_a_reindex_that_another_finishes(
    tmp_path: Path, programs: list[Program]
):
    count = 200
    settings = SETTINGS | {"job_lease_s": 300.0}
    shop = open_shop(tmp_path, **settings)
    shop.publish_first(count)
    admin = Admin(shop.vitrine)
    job_id = admin.reindex(model=NEW)
    worker = start_worker(programs, tmp_path, settings)
    until(lambda: admin.job(job_id).done > 0)
    worker.stop()
    left = admin.job(job_id)
    assert left.state is not JobState.DONE
    assert shop.vitrine.versions.live().info.model == OLD
    worker = start_worker(programs, tmp_path, settings)
    assert wait_for(admin, job_id).state is JobState.DONE, (
        "what a stopped worker held is free at once, whatever the lease"
    )
    worker.stop()
    admin.close()
