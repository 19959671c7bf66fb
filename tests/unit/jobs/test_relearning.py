"""The live version learns anew beside the work of a worker, when live writes have changed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ingest.jobs.factory import open_store
from ingest.jobs.store import JobStore
from ingest.tasks.relearning import Relearning
from tests.fakes import FakeEmbedder
from tests.shop import OLD, Shop, open_shop, product
from vitrine.errors import Cancelled
from vitrine.index import VectorIndex
from vitrine.products import Record

pytestmark = pytest.mark.slow

COUNT = 60


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = open_shop(tmp_path)
    shop.publish_first(COUNT)
    return shop


@pytest.fixture
def store(shop: Shop) -> JobStore:
    return open_store(shop.vitrine.settings)


@pytest.fixture
def live(shop: Shop) -> VectorIndex:
    return shop.vitrine.versions.live()


@pytest.fixture
def relearning(shop: Shop, store: JobStore) -> Relearning:
    return Relearning(shop.vitrine, store, check=lambda: None, clock=lambda: 0.0)


def write(shop: Shop, numbers: range, title: str) -> None:
    row = np.zeros(shop.models(OLD).info.dimension, np.float32)
    row[0] = 1.0
    shop.vitrine.versions.live().upsert(
        [Record.of_picture(product(n, title=title), row, f"{n:064x}") for n in numbers]
    )


def look(relearning: Relearning) -> None:
    relearning.look()
    relearning.wait()


def words(live: VectorIndex) -> set[str]:
    assert live.search_model is not None
    return set(live.search_model.vocabulary.words)


def test_a_version_without_words_learns_them(relearning: Relearning, live: VectorIndex):
    assert live.search_model is None
    look(relearning)
    assert "product" in words(live)


def test_new_words_are_learnt_when_a_fifth_has_changed(
    relearning: Relearning, live: VectorIndex, shop: Shop
):
    look(relearning)
    write(shop, range(11), "A zorblax")
    look(relearning)
    assert "zorblax" not in words(live)
    write(shop, range(11, 12), "A zorblax")
    look(relearning)
    assert "zorblax" in words(live)


def test_writes_go_on_while_a_version_learns_and_count_for_the_next_time(
    relearning: Relearning,
    live: VectorIndex,
    shop: Shop,
    store: JobStore,
    monkeypatch: pytest.MonkeyPatch,
):
    learning, written = threading.Event(), threading.Event()

    def embed(texts: list[str], plain: Callable = FakeEmbedder.embed_texts) -> np.ndarray:
        learning.set()
        assert written.wait(60)
        return plain(shop.models(OLD), texts)

    monkeypatch.setattr(shop.models(OLD), "embed_texts", embed)
    relearning.look()
    assert learning.wait(60)
    assert store.holder("learning") is not None
    write(shop, range(20), "A zorblax")
    relearning.look()  # one learning at a time
    written.set()
    relearning.wait()
    assert "zorblax" not in words(live)
    assert store.holder("learning") is None
    look(relearning)
    assert "zorblax" in words(live)


def test_one_of_all_workers_learns(relearning: Relearning, live: VectorIndex, store: JobStore):
    assert store.lock("learning", "another worker", lease_s=600) is None
    look(relearning)
    assert live.search_model is None
    store.unlock("learning", "another worker")
    look(relearning)
    assert live.search_model is not None


def test_after_a_learning_there_is_a_pause(shop: Shop, store: JobStore, live: VectorIndex):
    now = [0.0]

    def check() -> None:
        now[0] = 3.0  # learning has taken three seconds

    relearning = Relearning(shop.vitrine, store, check=check, clock=lambda: now[0])
    look(relearning)
    write(shop, range(30), "A zorblax")
    now[0] = 32.9
    look(relearning)
    assert "zorblax" not in words(live)
    now[0] = 33.0
    look(relearning)
    assert "zorblax" in words(live)


def test_a_worker_that_stops_gives_learning_up(shop: Shop, store: JobStore, live: VectorIndex):
    def stop() -> None:
        raise Cancelled("the worker stops")

    look(Relearning(shop.vitrine, store, check=stop))
    assert live.search_model is None
    assert store.holder("learning") is None
