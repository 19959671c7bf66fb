"""Which version answers while another one is published: no search waits for a model or an index
to be loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import vitrine.serving
from tests.fake_index import FakeIndex, FakeVersions
from tests.fakes import FakeEmbedder
from tests.shop import MAPPING, NEW, OLD
from vitrine.embedding import Embedder
from vitrine.errors import (
    IndexUnavailable,
    ModelMismatch,
    ModelUnavailable,
    NoLiveVersion,
    NotFound,
)
from vitrine.serving import EmbedderPool, LiveIndex

PATIENCE_S = 60


class Gate:
    """Holds whoever comes until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S), "nobody opened the gate"


def free() -> None:
    """No gate."""


class Model(FakeEmbedder):
    """A model whose two sides may be held at their first use."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.at_texts: Callable[[], None] = free
        self.at_images: Callable[[], None] = free

    def embed_texts(self, texts: Any) -> Any:
        self.at_texts()
        return super().embed_texts(texts)

    def embed_images(self, images: Any) -> Any:
        self.at_images()
        return super().embed_images(images)


class Desk:
    """Versions, the models by name, and the live index over both."""

    def __init__(self) -> None:
        self.versions = FakeVersions()
        self.models = {name: Model(name) for name in (OLD, NEW)}
        self.at_load: Callable[[], None] = free
        self.loads: list[str] = []
        self.live = LiveIndex(self.versions, EmbedderPool(self._load))

    def _load(self, name: str) -> Embedder:
        self.loads.append(name)
        if name != OLD:
            self.at_load()
        return self.models[name]

    def create(self, model: str) -> FakeIndex:
        info = self.models[model].info
        schema = MAPPING.schema()
        index = self.versions.create(
            model=model,
            fingerprint=info.fingerprint,
            dimension=info.dimension,
            schema=schema,
            mapping={},
        )
        self.versions.complete(index.info.name)
        return index

    def publish(self, model: str) -> str:
        name = self.create(model).info.name
        self.versions.publish(name)
        return name

    @property
    def answering(self) -> str:
        return self.live.current().index.info.name

    def comes_to(self, name: str) -> bool:
        """Whether searches get to that version before long."""
        until = time.monotonic() + PATIENCE_S
        while self.answering != name and time.monotonic() < until:
            time.sleep(0.001)
        return self.answering == name


@pytest.fixture
def desk() -> Iterator[Desk]:
    yield Desk()
    for thread in threading.enumerate():
        if thread.name == "prepare-version":
            thread.join(PATIENCE_S)


def test_before_anything_is_published_nothing_answers(desk: Desk):
    with pytest.raises(NoLiveVersion):
        desk.live.current()
    first = desk.publish(OLD)
    assert desk.answering == first


def held_while_loading(desk: Desk, index: FakeIndex, gate: Gate) -> None:
    desk.at_load = gate


def held_at_the_first_text(desk: Desk, index: FakeIndex, gate: Gate) -> None:
    desk.models[index.info.model].at_texts = gate


def held_at_the_first_picture(desk: Desk, index: FakeIndex, gate: Gate) -> None:
    desk.models[index.info.model].at_images = gate


def held_at_the_first_search(desk: Desk, index: FakeIndex, gate: Gate) -> None:
    search = index.search
    index.search = lambda query: (gate(), search(query))[1]  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "hold",
    [
        held_while_loading,
        held_at_the_first_text,
        held_at_the_first_picture,
        held_at_the_first_search,
    ],
    ids=lambda f: f.__name__,
)
def test_the_version_before_answers_until_the_new_one_has_done_all_that_is_slow_at_first(
    desk: Desk, hold: Callable[..., None]
):
    """No clock: had a single call waited for what the gate holds, it would have waited for ever."""
    first, gate = desk.publish(OLD), Gate()
    assert desk.answering == first
    second = desk.create(NEW)
    hold(desk, second, gate)
    desk.versions.publish(second.info.name)
    assert desk.answering == first
    assert gate.reached.wait(PATIENCE_S)
    for _ in range(100):
        serving = desk.live.current()
        assert (serving.index.info.name, serving.embedder.info.name) == (first, OLD)
    gate.opened.set()
    assert desk.comes_to(second.info.name)
    assert desk.live.current().embedder.info.name == NEW


def test_an_index_of_the_same_model_is_loaded_aside_as_well(desk: Desk):
    first, gate = desk.publish(OLD), Gate()
    assert desk.answering == first
    second = desk.create(OLD)
    held_at_the_first_search(desk, second, gate)
    desk.versions.publish(second.info.name)
    assert desk.answering == first
    assert gate.reached.wait(PATIENCE_S)
    assert desk.answering == first
    gate.opened.set()
    assert desk.comes_to(second.info.name)
    assert desk.loads == [OLD]


def test_a_version_removed_while_the_next_one_is_made_ready_answers_no_more(desk: Desk):
    first, gate = desk.publish(OLD), Gate()
    assert desk.answering == first
    second = desk.create(OLD)
    held_at_the_first_search(desk, second, gate)
    desk.versions.publish(second.info.name)
    assert desk.answering == first
    assert gate.reached.wait(PATIENCE_S)
    desk.versions.discard(first)
    assert desk.answering == second.info.name
    with pytest.raises(NotFound):
        desk.live.of(first)
    gate.opened.set()


def test_back_to_the_version_before_it_goes_at_once(desk: Desk):
    first = desk.publish(OLD)
    assert desk.answering == first
    second = desk.publish(NEW)
    assert desk.comes_to(second)
    for name in (first, second, first):
        desk.versions.publish(name)
        assert desk.answering == name


def test_many_searches_load_a_new_version_once(desk: Desk):
    first, gate = desk.publish(OLD), Gate()
    assert desk.answering == first
    desk.at_load = gate
    second = desk.publish(NEW)
    threads = [threading.Thread(target=desk.live.current) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [thread.name for thread in threading.enumerate()].count("prepare-version") == 1
    gate.opened.set()
    assert desk.comes_to(second)
    assert desk.loads == [OLD, NEW]


def test_a_version_that_is_published_while_another_one_is_made_ready_comes_after_it(desk: Desk):
    first, gate = desk.publish(OLD), Gate()
    assert desk.answering == first
    desk.at_load = gate
    desk.publish(NEW)
    assert desk.answering == first
    third = desk.publish(OLD)
    gate.opened.set()
    assert desk.comes_to(third)


def fails_to_load(desk: Desk) -> None:
    def at_load() -> None:
        raise ModelUnavailable("there is no such model")

    desk.at_load = at_load


def is_another_one_now(desk: Desk) -> None:
    desk.models[NEW] = Model("replaced")


def cannot_be_searched(desk: Desk) -> None:
    def search(query: Any) -> Any:
        raise IndexUnavailable("its file is damaged")

    desk.versions.live().search = search  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (fails_to_load, "no such model"),
        (is_another_one_now, "fingerprint"),
        (cannot_be_searched, "damaged"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_version_that_cannot_be_used_leaves_the_one_before_it_answering_and_is_tried_again(
    desk: Desk,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Desk], None],
    why: str,
):
    monkeypatch.setattr(vitrine.serving, "_AGAIN_S", 0.05)
    first = desk.publish(OLD)
    assert desk.answering == first
    second = desk.publish(NEW)
    happens(desk)
    until = time.monotonic() + PATIENCE_S
    while len(caplog.records) < 2 and time.monotonic() < until:
        assert desk.answering == first
        time.sleep(0.001)
    assert f"version {second} is live, but cannot be used yet" in caplog.messages[1]
    assert why in caplog.messages[1]
    if happens is fails_to_load:
        desk.at_load = free
        assert desk.comes_to(second)


def test_a_failure_is_not_told_with_every_search(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk.live, "_pause_s", 10.0 * PATIENCE_S)  # it is not tried again here
    first = desk.publish(OLD)
    assert desk.answering == first
    desk.publish(NEW)
    fails_to_load(desk)
    until = time.monotonic() + PATIENCE_S
    while not caplog.records and time.monotonic() < until:
        assert desk.answering == first
    for _ in range(100):
        assert desk.answering == first
    assert len(caplog.records) == 1
    assert desk.loads == [OLD, NEW]


def test_a_write_is_shown_soon_after_a_version_failed_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Writes go into the live version: for as long as it cannot be used, searches show an old
    state."""
    seconds = 1000.0
    monkeypatch.setattr(vitrine.serving.time, "monotonic", lambda: seconds)
    first = desk.publish(OLD)
    assert desk.answering == first
    second = desk.publish(NEW)
    fails_to_load(desk)
    while desk.loads != [OLD, NEW]:
        assert desk.answering == first
    desk.at_load = free
    while desk.live._preparing:
        time.sleep(0.001)
    seconds += 0.2
    assert desk.comes_to(second)


def test_with_nothing_before_it_a_version_of_another_model_is_refused(desk: Desk):
    desk.publish(NEW)
    is_another_one_now(desk)
    with pytest.raises(ModelMismatch, match="vitrine reindex"):
        desk.live.current()
