"""The admin side of a shop whose index is in memory, and a worker that works when told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.admin import Admin
from ingest.jobs.factory import open_store
from ingest.jobs.models import WorkItem
from ingest.jobs.store import JobStore
from ingest.tasks.runner import Runner
from tests.fake_index import FakeIndex, FakeVersions
from tests.shop import Shop, open_shop
from vitrine.index.product_json import product_hash

COUNT = 90


class Desk:
    """A shop of `count` products, its admin side, and a worker that works when told."""

    def __init__(self, folder: Path, *, count: int = COUNT, **settings: Any) -> None:
        self.shop: Shop = open_shop(
            folder,
            FakeVersions(),
            job_attempts=2,
            job_backoff_s=0,
            job_lease_s=60,
            verify_sample=20,
            **{"chunk_size": 32, **settings},
        )
        self.before = self.shop.publish_first(count)
        self.store: JobStore = open_store(self.shop.vitrine.settings)
        self.admin = Admin(self.shop.vitrine, store=self.store)
        self.runner = Runner(self.shop.vitrine, self.store)
        self.taken: list[WorkItem] = []
        claim = self.store.claim

        def remember(queue: str, *, limit: int, lease_s: float) -> list[WorkItem]:
            items = claim(queue, limit=limit, lease_s=lease_s)
            self.taken = items or self.taken
            return items

        self.store.claim = remember  # type: ignore[method-assign]

    def expire(self) -> None:
        """Let the lease of what a dead worker took last run out."""
        self.store.renew(self.taken, lease_s=0.001)
        time.sleep(0.01)

    @property
    def live(self) -> FakeIndex:
        live = self.shop.vitrine.versions.live()
        assert isinstance(live, FakeIndex)
        return live

    @property
    def states(self) -> list[str]:
        return [info.state for info in self.shop.vitrine.versions.list()]

    def finish(self, job_id: str) -> Any:
        self.runner.drain()
        return self.admin.job(job_id)


def same_products(one: Any, other: Any) -> bool:
    def stamps(index: Any) -> dict[str, tuple[str, str]]:
        return {
            r.product.id: (r.image_key, product_hash(r.product))
            for batch in index.scan()
            for r in batch
        }

    return stamps(one) == stamps(other)


def step_until(desk: Desk, job_id: str, seen: Callable[[Any], bool]) -> None:
    while not seen(desk.admin.job(job_id)):
        assert desk.runner.step()
