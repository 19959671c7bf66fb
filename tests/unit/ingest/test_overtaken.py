"""A run that was halted for so long that another one took its place ends, and spoils nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.database import ingest_database
from ingest.failures import open_ledger
from ingest.jobs.factory import open_store
from ingest.jobs.store import CATALOGUE
from ingest.runs import Run, Runs
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import Shop, picture
from vitrine.errors import CatalogueBusy

PATIENCE_S = 240


class HaltedEmbedder(FakeEmbedder):
    """The stand-in model, which the first run waits for until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.reached.set()
        assert self.go_on.wait(PATIENCE_S)
        return super().embed_pixels(pixels)


def take_lock(shop: Shop) -> None:
    """Let the lease of whoever holds the catalogue end."""
    with closing(open_store(shop.settings)) as store:
        holder = store.holder(CATALOGUE)
        assert holder is not None
        store.unlock(CATALOGUE, holder.owner)


def test_a_sync_that_was_overtaken_removes_nothing_and_changes_no_failure(shop: Shop) -> None:
    """All it has seen was forgotten when the other one was done."""
    shop.fill_index(20)
    shop.ingest()
    shop.rows += [shop.product(30, image="gone.png"), shop.product(1)]
    (shop.root / "pictures/3.png").write_bytes(picture("green", number=99))
    halted = shop.embedder = HaltedEmbedder()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shop.ingest, sync=True, allow_shrink=True)
        assert halted.reached.wait(PATIENCE_S)
        take_lock(shop)
        shop.embedder = FakeEmbedder()
        shop.ingest(sync=True, allow_shrink=True)
        failures = open_ledger(shop.settings).entries()
        halted.go_on.set()
        with pytest.raises(CatalogueBusy, match="run the same command again"):
            first.result(PATIENCE_S)
    assert set(shop.records) == {f"p{number}" for number in range(20)}
    assert {each.reason for each in failures[0]} == {"missing", "duplicate_id"}
    assert open_ledger(shop.settings).entries() == failures


@pytest.mark.parametrize(
    "deed",
    [
        lambda runs, run: runs.record_seen(run, [("b", 2)]),
        lambda runs, run: runs.seen_ids(run, ["a"]),
        lambda runs, run: runs.finish(run),
    ],
    ids=["record_seen", "seen_ids", "finish"],
)
def test_what_a_run_has_seen_is_not_mixed_with_what_the_next_one_sees(
    tmp_path: Path, deed: Callable[[Runs, Run], object]
) -> None:
    runs = Runs(ingest_database(tmp_path))
    first = runs.begin("shop.csv", "v1")
    runs.record_seen(first, [("a", 1)])
    for other in (runs.begin("shop.csv", "v2"), runs.begin("other.csv", "v1")):
        runs.record_seen(other, [("a", 1)])
    assert runs.seen_ids(first, ["a"]) == {"a"}
    second = runs.begin("shop.csv", "v1")
    runs.record_seen(second, [("a", 1)])
    with pytest.raises(CatalogueBusy):
        deed(runs, first)
    assert runs.seen_ids(second, ["a", "b"]) == {"a"}
