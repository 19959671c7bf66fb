"""Reindex with another model while clients search without pause and the catalogue changes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.admin import Admin
from ingest.jobs.factory import open_store
from ingest.jobs.models import JobState
from ingest.stop_request import StopRequest
from ingest.worker import Worker
from tests.fakes import FakeEmbedder
from tests.integration.jobs.backends import BACKENDS, opened_beside, shop_on
from tests.integration.jobs.searchers import Searchers, SlowAtFirst, around
from tests.shop import NEW, OLD, Shop, accepted, picture, product
from tests.support.waiting import until

COUNT = 2000
UNTOUCHED = range(1500, COUNT)
"""Products that nobody writes, so that what a search must find of them is known."""


@dataclass
class Expected:
    """What the shop must hold in the end: the number of each product's picture, and its price."""

    pictures: dict[str, int] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    shown: dict[str, set[int]] = field(default_factory=dict)
    """Every picture that a product has or had."""

    @classmethod
    def first(cls, count: int) -> Expected:
        """What `Shop.publish_first` puts in."""
        ids = [product(n).id for n in range(count)]
        return cls(
            {i: n for n, i in enumerate(ids)},
            {i: float(n) for n, i in enumerate(ids)},
            {i: {n} for n, i in enumerate(ids)},
        )

    def put(self, product_id: str, number: int, price: float) -> None:
        """An upsert."""
        self.shown.setdefault(product_id, set()).add(number)
        self.pictures[product_id], self.prices[product_id] = number, price


def write_randomly(
    admin: Admin, expected: Expected, chance: random.Random, pause_s: float
) -> list[str]:
    """100 upserts, 100 patches and 50 deletes in a random order; returns the ids of the jobs."""
    jobs = []
    deeds = ["upsert"] * 100 + ["patch"] * 100 + ["delete"] * 50
    chance.shuffle(deeds)
    for number, deed in enumerate(deeds):
        known = [one for one in expected.pictures if int(one[1:]) not in UNTOUCHED]
        target = chance.choice(known)
        if deed == "upsert":
            target = (
                f"p{9000 + number}" if chance.random() < 0.5 else product(chance.randrange(1500)).id
            )  # new, known, or deleted before
            expected.put(target, 3000 + number, 5.0 + number)
            jobs.append(
                admin.upsert(
                    [
                        accepted(
                            {
                                "id": target,
                                "title": target,
                                "price": 5.0 + number,
                                "image": picture(3000 + number),
                            }
                        )
                    ]
                )
            )
        elif deed == "patch":
            expected.prices[target] = 7000.0 + number
            jobs.append(admin.patch(target, {"price": 7000.0 + number}))
        else:
            del expected.pictures[target], expected.prices[target]
            jobs.append(admin.delete([target]))
        time.sleep(pause_s)
    return jobs


def wait_for(admin: Admin, job_ids: list[str], seconds: float = 700) -> None:
    until(
        lambda: all(admin.job(job_id).state.final for job_id in job_ids),
        "all jobs end",
        seconds=seconds,
    )


@contextmanager
def working(shop: Shop) -> Iterator[None]:
    """A worker on the shop until the block ends."""
    stop = StopRequest()
    worker = threading.Thread(
        target=Worker(shop.vitrine, open_store(shop.vitrine.settings)).run, args=(stop,)
    )
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(60)


def moments_of_publishing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Filled with the time just before each publication."""
    moments, publish = [], shop.vitrine.versions.publish

    def noted(name: str, **rest: Any) -> Any:
        moments.append(time.perf_counter())
        return publish(name, **rest)

    monkeypatch.setattr(shop.vitrine.versions, "publish", noted)
    return moments


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_fails_waits_mixes_gets_lost_or_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
):
    """The service's new model is held wherever it is slow at first, each time until every client
    has been answered ten times more: had one search waited for it, both would wait for ever. So
    nothing here depends on the speed of the machine."""
    seed = random.randrange(10**6)
    print("seed", seed)
    with shop_on(backend, tmp_path) as shop, opened_beside(shop) as service:
        before = shop.publish_first(COUNT)
        expected = Expected.first(COUNT)
        admin = Admin(shop.vitrine)
        published = moments_of_publishing(shop, monkeypatch)
        searchers = Searchers(
            service,
            shop,
            expected.shown,
            untouched=UNTOUCHED,
            clients=2 if backend == "faiss" else 1,
        )
        held: list[float] = []

        def hold() -> None:
            searchers.wait_for_answers(10, OLD)
            held.append(time.perf_counter())

        service.models.make = lambda name: (
            SlowAtFirst(name, hold) if name == NEW else FakeEmbedder(name=name)
        )
        with searchers, working(shop):
            reindex = admin.reindex()
            writes = write_randomly(admin, expected, random.Random(seed), pause_s=0.02)
            wait_for(admin, [reindex, *writes])
            searchers.wait_for_answers(20, NEW)
            done = time.perf_counter()
        job = admin.job(reindex)
        tell_seconds(searchers, published[0], done)
        print(
            f"{searchers.served.total()} searches, by model {dict(searchers.served)}, reindex at "
            f"{job.rate:.0f} products/s"
        )
        assert (job.state, job.error) == (JobState.DONE, None)
        assert searchers.faults == []
        assert len(published) == 1
        assert len(held) == 3, "held while it is loaded, at its first text and at its first picture"
        assert min(held) > published[0]
        assert all(
            answer.model == OLD for answer in searchers.answers if answer.ended < max(held)
        ), "the new version answers once it is warm"
        failed = [
            (admin.job(one).kind, admin.job(one).error)
            for one in writes
            if admin.job(one).state is not JobState.DONE
        ]
        assert failed == []
        live = shop.vitrine.versions.live()
        assert (live.info.name, live.info.model) == (job.version, NEW)
        assert live.info.name != before.info.name
        assert_holds(shop, live, expected)
        admin.close()


def tell_seconds(searchers: Searchers, moment: float, until: float) -> tuple[float, float]:
    """Print, and give, the usual p99 of a search while the reindex ran, and the slowest one from
    its publication on."""
    usual, switch = around(searchers.answers, moment, until=until)
    p99, slowest = float(np.percentile(usual, 99)), float(switch.max())
    print(
        f"ms of a search while the reindex runs: median {1e3 * np.median(usual):.1f}, p99 "
        f"{1e3 * p99:.1f}, slowest {1e3 * usual.max():.1f} "
        f"of {len(usual)}; at the switch: slowest {1e3 * slowest:.1f} of {len(switch)}, "
        f"{slowest / p99:.2f} times the p99"
    )
    return p99, slowest


def assert_holds(shop: Shop, index: Any, expected: Expected) -> None:
    """The index holds exactly what is expected, each product with its picture's vector of the
    index's own model."""
    found = {record.product.id: record for batch in index.scan() for record in batch}
    assert sorted(found) == sorted(expected.pictures)
    assert {one: record.product.price for one, record in found.items()} == expected.prices
    embed = shop.models(index.info.model).embed_images
    from vitrine.images.decode import ImageLimits, decode

    limits = ImageLimits.of(shop.vitrine.settings)
    ids = sorted(found)
    vectors = embed([decode(picture(expected.pictures[one]), limits) for one in ids])
    np.testing.assert_allclose(np.stack([found[one].vector for one in ids]), vectors, atol=1e-5)
