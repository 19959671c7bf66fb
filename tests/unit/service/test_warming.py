"""While a model is being loaded searches get 503 at once; what failed is tried again and told."""

from __future__ import annotations

import threading

import pytest

from service import warming
from service.warming import WarmUp
from tests.unit.service.conftest import Shop, base64_of, picture
from vitrine.errors import IndexUnavailable, ModelLoading, ModelUnavailable, VitrineError

PATIENCE_S = 240
RED = {"base64": base64_of(picture("red"))}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(warming, "_AGAIN_S", 0.01)


def go_on(_: VitrineError) -> bool:
    return True


def test_a_warm_up_that_succeeds_leaves_no_obstacle(shop: Shop):
    warm_up = WarmUp()
    warm_up.begin()
    with pytest.raises(ModelLoading):
        warm_up.require()
    assert warm_up.run(shop.vitrine, threading.Event(), go_on)
    warm_up.require()


@pytest.mark.parametrize("error", [IndexUnavailable("Qdrant is down"), RuntimeError("a bug")])
def test_a_warm_up_that_fails_says_why_and_is_tried_again(shop: Shop, error: Exception):
    warm_up, ended = WarmUp(), threading.Event()
    warm_up.begin()
    shop.versions.broken = error
    thread = threading.Thread(target=warm_up.run, args=(shop.vitrine, ended, go_on))
    thread.start()
    while isinstance(warm_up.obstacle, ModelLoading):
        ended.wait(0.01)
    with pytest.raises(IndexUnavailable) as caught:
        warm_up.require()
    assert ("a bug" in str(caught.value)) is False
    shop.versions.broken = None
    thread.join(PATIENCE_S)
    warm_up.require()


def test_whether_to_go_on_after_the_first_try_is_asked_once(shop: Shop):
    shop.versions.broken = ModelUnavailable("no such model")
    told: list[str] = []

    def give_up(obstacle: VitrineError) -> bool:
        told.append(str(obstacle))
        return False

    assert not WarmUp().run(shop.vitrine, threading.Event(), give_up)
    assert told == ["no such model"]


def test_of_requests_for_a_detector_that_is_being_loaded_one_waits(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    loading, loaded = threading.Event(), threading.Event()
    detect = shop.vitrine.detector.detect

    def slow(*arguments, **named):
        loading.set()
        assert loaded.wait(PATIENCE_S)
        return detect(*arguments, **named)

    monkeypatch.setattr(shop.vitrine.detector, "detect", slow)
    statuses: list[int] = []

    def ask() -> None:
        body = {"image": RED, "labels": ["dress"]}
        client = shop.app.test_client()
        client.spec = shop.client.spec
        statuses.append(client.post("/v1/detect", json=body).status_code)

    first = threading.Thread(target=ask)
    first.start()
    assert loading.wait(PATIENCE_S)
    ask()
    assert statuses == [503]
    loaded.set()
    first.join(PATIENCE_S)
    assert statuses == [503, 200]
    ask()
    assert statuses == [503, 200, 200]


def test_probes_share_one_check_and_do_not_wait_for_a_busy_model(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    assert shop.client.get("/health/ready").status_code == 200
    busy, embed = threading.Event(), shop.embedder.embed_texts
    calls: list[str] = []

    def slow(texts):
        calls.extend(texts)
        assert busy.wait(PATIENCE_S)
        return embed(texts)

    monkeypatch.setattr(shop.embedder, "embed_texts", slow)
    monkeypatch.setattr("service.readiness._WAIT_S", 0.05)
    for _ in range(3):
        assert shop.client.get("/health/ready").status_code == 200  # as the last check had it
    assert len(calls) == 1
    monkeypatch.setattr("service.readiness._HOLDS_S", 0)
    response = shop.client.get("/health/ready")
    assert (response.status_code, response.get_json()["title"]) == (503, "The model is busy")
    busy.set()
