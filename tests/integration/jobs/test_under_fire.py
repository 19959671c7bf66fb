"""Reindex with another model while clients search without pause and the catalogue changes."""

from __future__ import annotations

import base64
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.admin import Admin
from ingest.jobs.opening import open_store
from ingest.jobs.values import JobState
from ingest.worker import Worker
from tests.integration.jobs.backends import BACKENDS
from tests.shop import NEW, OLD, Shop, open_shop, picture, product
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.results import Page

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
        return cls({i: n for n, i in enumerate(ids)}, {i: float(n) for n, i in enumerate(ids)}, {i: {n} for n, i in enumerate(ids)})

    def put(self, product_id: str, number: int, price: float) -> None:
        """An upsert."""
        self.shown.setdefault(product_id, set()).add(number)
        self.pictures[product_id], self.prices[product_id] = number, price


class Searchers:
    """Clients that search until told to stop and check every answer against the version that gave it."""

    def __init__(self, shop: Shop, expected: Expected, *, clients: int) -> None:
        self._shop = shop
        self._expected = expected
        self.stop = threading.Event()
        self.faults: list[str] = []
        self.served: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._threads = [threading.Thread(target=self._search, args=(n,)) for n in range(clients)]

    def __enter__(self) -> Searchers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    def _search(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.stop.is_set():
            try:
                began = time.perf_counter()
                page = self._one(chance)
                self.seconds.append(time.perf_counter() - began)
                self.served[page.model] += 1
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def _one(self, chance: random.Random) -> Page:
        match chance.randrange(3):
            case 0:
                page = self._shop.vitrine.engine.search(SearchQuery(texts=(WeightedText("red"),), limit=5))
                self._check_scores(page, "red")
            case 1:
                number = chance.choice(UNTOUCHED)
                page = self._shop.vitrine.engine.search(SearchQuery(like=(product(number).id,), limit=3))
                self._expect(page.hits[0].product.id == product(number).id, f"{number} does not find itself in {page.version}")
            case _:
                page = self._shop.vitrine.engine.search(SearchQuery(sort=Sort("price", descending=True), limit=3))
                self._expect(len(page.hits) == 3, f"browsing {page.version} gives {len(page.hits)} products")
        self._expect(page.model in page.version, f"{page.version} answered with the model {page.model}")
        return page

    def _check_scores(self, page: Page, text: str) -> None:
        """Query and products of one model, or the scores would not be those of the model that the page names."""
        query = self._shop.models(page.model).embed_texts([text])[0]
        self._expect(len(page.hits) == 5, f"{page.version} gives {len(page.hits)} products")
        for hit in page.hits:
            # A picture that is replaced at this moment may be told with the score of the one before.
            shown = [self._shop.embed(page.model, picture(n)) for n in list(self._expected.shown[hit.product.id])]
            fits = any(abs(float(query @ vector) - (hit.score or 0)) < 1e-4 for vector in shown)
            self._expect(fits, f"{hit.product.id} has the score of another model in {page.version}")

    def _expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)


def sent(number: int) -> dict[str, str]:
    return {"base64": base64.b64encode(picture(number)).decode()}


def write_randomly(admin: Admin, expected: Expected, chance: random.Random, pause_s: float) -> list[str]:
    """100 upserts, 100 patches and 50 deletes in a random order; returns the ids of the jobs."""
    jobs = []
    deeds = ["upsert"] * 100 + ["patch"] * 100 + ["delete"] * 50
    chance.shuffle(deeds)
    for number, deed in enumerate(deeds):
        known = [one for one in expected.pictures if int(one[1:]) not in UNTOUCHED]
        target = chance.choice(known)
        if deed == "upsert":
            target = f"p{9000 + number}" if chance.random() < 0.5 else product(chance.randrange(1500)).id  # new, known, or deleted before
            expected.put(target, 3000 + number, 5.0 + number)
            jobs.append(admin.upsert([{"id": target, "title": target, "price": 5.0 + number, "image": sent(3000 + number)}]))
        elif deed == "patch":
            expected.prices[target] = 7000.0 + number
            jobs.append(admin.patch(target, {"price": 7000.0 + number}))
        else:
            del expected.pictures[target], expected.prices[target]
            jobs.append(admin.delete([target]))
        time.sleep(pause_s)
    return jobs


def wait_for(admin: Admin, job_ids: list[str], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    for job_id in job_ids:
        while not admin.job(job_id).state.final:
            assert time.monotonic() < deadline, f"job {job_id} is still {admin.job(job_id)}"
            time.sleep(0.02)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_fails_mixes_gets_lost_or_comes_back(tmp_path: Path, backend: str):
    seed = random.randrange(10**6)
    print("seed", seed)
    shop = open_shop(tmp_path, **BACKENDS[backend])
    before = shop.publish_first(COUNT)
    expected = Expected.first(COUNT)
    admin = Admin(shop.vitrine)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(shop.vitrine, open_store(shop.vitrine.settings)).run, args=(stop,))
    worker.start()
    try:
        with Searchers(shop, expected, clients=2 if backend == "faiss" else 1) as searchers:
            reindex = admin.reindex()
            writes = write_randomly(admin, expected, random.Random(seed), pause_s=0.02)
            wait_for(admin, [reindex, *writes])
            deadline = time.monotonic() + 60
            while not searchers.served[NEW] and time.monotonic() < deadline:
                time.sleep(0.02)
    finally:
        stop.set()
        worker.join(60)
    job = admin.job(reindex)
    print(f"{sum(searchers.served.values())} searches, by model {dict(searchers.served)}, reindex at {job.rate:.0f} products/s")
    print(f"seconds of a search: median {np.median(searchers.seconds):.4f}, p99 {np.percentile(searchers.seconds, 99):.4f}")
    assert (job.state, job.error) == (JobState.DONE, None)
    assert searchers.faults == []
    assert searchers.served[OLD] > 0
    assert searchers.served[NEW] > 0
    failed = [(admin.job(one).kind, admin.job(one).error) for one in writes if admin.job(one).state is not JobState.DONE]
    assert failed == []
    live = shop.vitrine.versions.live()
    assert (live.info.name, live.info.model) == (job.version, NEW)
    assert live.info.name != before.info.name
    assert_holds(shop, live, expected)
    admin.close()
    shop.vitrine.close()


def assert_holds(shop: Shop, index: Any, expected: Expected) -> None:
    """The index holds exactly what is expected, each product with its picture's vector of the index's own model."""
    found = {record.product.id: record for batch in index.scan() for record in batch}
    assert sorted(found) == sorted(expected.pictures)
    assert {one: record.product.price for one, record in found.items()} == expected.prices
    embed = shop.models(index.info.model).embed_images
    from vitrine.images.decode import ImageLimits, decode

    limits = ImageLimits.of(shop.vitrine.settings)
    ids = sorted(found)
    vectors = embed([decode(picture(expected.pictures[one]), limits) for one in ids])
    np.testing.assert_allclose(np.stack([found[one].vector for one in ids]), vectors, atol=1e-5)
