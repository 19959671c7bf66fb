"""Vectors on a device are searched exactly, and where they cannot be there the log says why.

The device is torch's CPU, which works as a card does, in the same memory.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.contract.catalogue import make_catalogue
from tests.contract.questions import separated
from tests.unit.index.faiss.conftest import create
from vitrine.index import IndexQuery
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.vectors import device_vectors
from vitrine.index.faiss.vectors.device_vectors import DeviceVectors
from vitrine.index.faiss.vectors.product_vectors import ProductVectors
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.index.faiss.versions import FaissVersions
from vitrine.index.ports import SCORE_DECIMALS
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # torch is loaded

SEED = 61


def close_rows(count: int, rng: np.random.Generator) -> np.ndarray:
    """Unit rows of which many have nearly the same cosine with any query."""
    rows = rng.standard_normal(32) + 0.02 * rng.standard_normal((count, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=[1, 3], ids=["one picture", "three"])
def pictures(request: pytest.FixtureRequest) -> ProductVectors:
    rows = close_rows(1200, np.random.default_rng(SEED))
    return ProductVectors(rows, np.arange(0, 1201, request.param))


def scores_of(pictures: ProductVectors, query: np.ndarray) -> np.ndarray:
    """In float64, one product after the other."""
    rows = pictures.rows.astype(np.float64) @ query.astype(np.float64)
    ends = zip(pictures.offsets[:-1], pictures.offsets[1:], strict=True)
    return np.asarray([rows[first:end].max() for first, end in ends])


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_scan_on_the_device_is_exact(pictures: ProductVectors, share: float):
    vectors = DeviceVectors(SearchDevice("cpu"), pictures, None)
    rng = np.random.default_rng(SEED)
    assert vectors.ready()
    for k in (1, 30):
        query, mask = close_rows(1, rng)[0], rng.random(len(pictures)) < share
        scores = np.where(mask, np.round(scores_of(pictures, query), SCORE_DECIMALS), -2)
        best = vectors.top_k(mask, query, k)
        assert sorted(best.rows.tolist()) == np.flatnonzero(scores >= np.sort(scores)[-k]).tolist()
        np.testing.assert_array_equal(best.scores, scores[best.rows])
    assert vectors.ready(), "it was given up"


def test_scores_lie_within_the_bounds_of_a_device(pictures: ProductVectors):
    vectors = DeviceVectors(SearchDevice("cpu"), pictures, None)
    assert vectors.ready()
    query = close_rows(1, np.random.default_rng(SEED + 1))[0]
    products = np.arange(0, len(pictures), 7)
    about, most = vectors.bounds(products, query)
    scores = scores_of(pictures, query)[products]
    assert np.all(scores <= most)
    assert np.all(scores >= 2 * about - most)
    assert np.all(most - about < 0.002), "too wide to be of use"


def test_a_device_that_fails_during_a_search_is_given_up_in_words(
    pictures: ProductVectors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nmore")

    vectors = DeviceVectors(SearchDevice("cpu"), pictures, None)
    query, mask = pictures.rows[5], np.ones(len(pictures), np.bool_)
    before = vectors.top_k(mask, query, 10) if vectors.ready() else None
    monkeypatch.setattr(device_vectors, "_inner_products", fail)
    after = vectors.top_k(mask, query, 10)
    assert before is not None
    assert sorted(after.rows.tolist()) == sorted(before.rows.tolist())
    assert "on the processor for now: CUDA error: unspecified launch failure" in caplog.text
    assert not vectors.ready()


def test_vectors_that_nobody_searches_make_room(
    pictures: ProductVectors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    device = SearchDevice("cpu")
    old, new = DeviceVectors(device, pictures, None), DeviceVectors(device, pictures, None)
    monkeypatch.setattr(
        SearchDevice, "free_bytes", lambda self: 0 if len(self.holds) else 1_000_000_000
    )
    assert old.ready()
    assert not new.ready()
    assert "cpu has 0.0 GB free" in caplog.text
    monkeypatch.setattr(device_vectors, "_AGAIN_S", -1.0)
    third = DeviceVectors(device, pictures, None)
    assert third.ready()


def test_vectors_that_are_replaced_on_their_way_to_the_device_do_not_stay_there(
    pictures: ProductVectors, monkeypatch: pytest.MonkeyPatch
):
    device = SearchDevice("cpu")
    vectors = DeviceVectors(device, pictures, None)
    brought = device_vectors._halves_on

    def replaced(name: str, rows: ProductVectors) -> object:
        halves = brought(name, rows)
        vectors.retire()
        return halves

    monkeypatch.setattr(device_vectors, "_halves_on", replaced)
    assert not vectors.ready()
    assert not device.holds
    monkeypatch.setattr(device_vectors, "_halves_on", brought)
    assert not vectors.ready(), "they are brought there again"


def test_replaced_vectors_stay_away_even_where_memory_did_not_suffice_meanwhile(
    pictures: ProductVectors, monkeypatch: pytest.MonkeyPatch
):
    vectors = DeviceVectors(SearchDevice("cpu"), pictures, None)

    def full(_: SearchDevice, nbytes: int) -> str:
        vectors.retire()
        return f"{nbytes} bytes are needed"

    monkeypatch.setattr(device_vectors, "_AGAIN_S", -1.0)
    with monkeypatch.context() as scarce:
        scarce.setattr(SearchDevice, "make_room", full)
        assert not vectors.ready()
    assert not vectors.ready()


def test_room_is_made_while_other_vectors_come_and_go(pictures: ProductVectors):
    device = SearchDevice("cpu")
    held = [DeviceVectors(device, pictures, None) for _ in range(200)]
    done, wrong = threading.Event(), list[Exception]()

    def make_room() -> None:
        while not done.is_set():
            try:
                device.make_room(1 << 60)
            except Exception as error:
                wrong.append(error)
                return

    maker = threading.Thread(target=make_room)
    maker.start()
    try:
        for _ in range(40):
            for vectors in held:
                device.hold(vectors)
            for vectors in held:
                device.let_go(vectors)
    finally:
        done.set()
        maker.join(timeout=240)
    assert not maker.is_alive()
    assert wrong == []


def index_on(device: SearchDevice | None, folder: Path, **settings: object) -> FaissVersions:
    options = Settings(quantize_from=1, rabitq_from=1, hnsw_from=1, **settings)
    return FaissVersions(folder / "index", options, device=device)


def device_vectors_of(index: FaissIndex) -> list[DeviceVectors]:
    scanned = [entry.segment.quantized for entry in index._reader.current().segments]
    return [vectors for vectors in scanned if isinstance(vectors, DeviceVectors)]


def test_a_version_on_a_device_gets_no_graph_and_its_new_snapshot_takes_the_place_of_the_old(
    tmp_path: Path,
):
    versions = index_on(SearchDevice("cpu", least_rows=1), tmp_path)
    index = create(versions)
    records = make_catalogue(40, SEED)
    index.upsert(records[:30])
    index.compact()
    (first,) = device_vectors_of(index)
    index.upsert(records[30:])
    index.delete([records[0].product.id])
    assert len(device_vectors_of(index)) == 2
    index.compact()
    query = IndexQuery(vector=separated(random.Random(SEED), records[1:]), limit=50)
    assert {hit.product.id for hit in index.search(query).hits} == {
        record.product.id for record in records[1:]
    }
    (second,) = device_vectors_of(index)
    assert second is not first
    assert not first.ready()
    assert not list((versions.root / index.info.name / "derived").glob("*/graph.bin"))
    assert "searches run on cpu" in versions.describe()[0]
    versions.close()
    assert not second.ready()


def test_where_there_is_no_card_searches_run_as_without_one_and_the_doctor_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    versions = index_on(None, tmp_path, search_device="cuda:99")
    index = create(versions)
    index.upsert(make_catalogue(40, SEED))
    index.compact()
    assert index.search(IndexQuery(vector=make_catalogue(1, SEED)[0].vector)).search == "exact"
    assert list((versions.root / index.info.name / "derived").glob("*/graph.bin"))
    (fault,) = versions.check()
    assert "VITRINE_SEARCH_DEVICE is cuda:99, but torch" in fault
    assert fault in caplog.text
    assert versions.describe() == [f"searches run on the processor: {fault}"]
    versions.close()
