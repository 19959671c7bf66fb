"""Concurrent queries share forward passes, and nobody's trouble becomes another's."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.checkpoints import photo
from tests.fakes import FakeEmbedder
from tests.support.waiting import until
from vitrine.abandonment import abandoned_when
from vitrine.cohort import arrive, searching
from vitrine.embedding import batching
from vitrine.embedding.batching import Batcher, BatchingEmbedder
from vitrine.errors import Abandoned, ModelBusy

Rows = NDArray[np.float32]


class Gate:
    """A forward pass that stands still until it is opened, and notes its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.open = threading.Event()
        self.fails_on: set[int] = set()

    def forward(self, items: list[int]) -> Rows:
        self.batches.append(list(items))
        self.entered.set()
        assert self.open.wait(60)
        if self.fails_on & set(items):
            raise RuntimeError(f"cannot do {sorted(self.fails_on & set(items))}")
        return np.array([[item, item + 0.5] for item in items], np.float32)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """The thread, and a list that gets what the call gave or raised."""
    got: list[Any] = []

    def run() -> None:
        try:
            got.append(call())
        except Exception as error:
            got.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, got


def values(rows: list[Rows]) -> list[float]:
    return [float(row[0]) for row in rows]


def cohort_after(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call of a query, which then tells with whom its thread is on its way."""

    def calling() -> Any:
        with searching():
            call()
            return arrive()

    return calling


def after_one_pass(gate: Gate, batcher: Batcher[int], *calls: Callable[[], Any]) -> list[Any]:
    """What the calls gave that waited while the gate was shut, and so share a pass."""
    first = in_thread(cohort_after(lambda: batcher.run([0])))
    assert gate.entered.wait(60)
    others = [in_thread(call) for call in calls]
    until(lambda: len(batcher._waiting) == len(calls))
    gate.open.set()
    for thread, _ in [first, *others]:
        thread.join(60)
    assert first[1] == [None]  # it was alone
    return [got[0] for _, got in others]


def test_those_whose_items_one_pass_has_done_are_on_their_way_together(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    cohorts = after_one_pass(
        gate,
        batcher,
        *(cohort_after(partial(batcher.run, [item, item + 10])) for item in range(1, 4)),
    )
    assert cohorts[0] is cohorts[1] is cohorts[2]
    assert cohorts[0].complete


def test_who_gets_an_error_is_on_the_way_with_nobody(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    gate.fails_on = {3}
    cohorts = after_one_pass(
        gate, batcher, *(cohort_after(partial(batcher.run, [item])) for item in range(1, 4))
    )
    assert isinstance(cohorts[2], RuntimeError)
    assert cohorts[0] is cohorts[1]
    assert cohorts[0].complete


def test_who_does_not_search_is_on_the_way_with_nobody(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)

    def probe() -> Any:
        batcher.run([3])
        return arrive()

    searches = (cohort_after(partial(batcher.run, [item])) for item in range(1, 3))
    cohorts = after_one_pass(gate, batcher, *searches, probe)
    assert cohorts[2] is None
    assert cohorts[0] is cohorts[1]
    assert cohorts[0].complete


def test_who_has_given_up_is_on_the_way_with_nobody(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def forward(items: list[int]) -> Rows:
        if 3 in items:
            clock[0] = 61.0
            late.wake()
            others[-1][0].join(60)
        return gate.forward(items)

    batcher: Batcher[int] = Batcher(forward, most=32, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)
    others = []
    for item in range(1, 4):
        others.append(in_thread(cohort_after(lambda item=item: batcher.run([item]))))
        until(lambda: len(batcher._waiting) == len(others))
    late = batcher._waiting[-1]
    gate.open.set()
    for thread, _ in [first, *others]:
        thread.join(60)
    cohorts = [got[0] for _, got in others]
    assert isinstance(cohorts[2], ModelBusy)
    assert cohorts[0] is cohorts[1]
    assert cohorts[0].complete


def test_a_lone_caller_runs_at_once_and_in_order(gate: Gate) -> None:
    gate.open.set()
    batcher: Batcher[int] = Batcher(gate.forward, most=4, timeout_s=60)
    assert values(batcher.run([3, 1, 2])) == [3, 1, 2]
    assert values(batcher.run(list(range(10)))) == list(range(10))
    assert batcher.run([]) == []
    assert batcher.batch_sizes == {3: 1, 4: 2, 2: 1}


def test_what_arrives_while_the_model_is_busy_becomes_one_batch(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)
    others = [in_thread(lambda item=item: batcher.run([item])) for item in range(1, 9)]
    until(lambda: len(batcher._waiting) == 8)
    gate.open.set()
    for number, (thread, got) in enumerate([first, *others]):
        thread.join(60)
        assert values(got[0]) == [number]
    assert gate.batches[0] == [0]
    assert sorted(gate.batches[1]) == list(range(1, 9))
    assert len(gate.batches) == 2


def test_a_caller_with_many_items_does_not_keep_the_others_waiting(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=4, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)
    crowd = in_thread(lambda: batcher.run(list(range(100, 200))))
    until(lambda: len(batcher._waiting) == 1)
    single = in_thread(lambda: batcher.run([1]))
    until(lambda: len(batcher._waiting) == 2)
    gate.open.set()
    for thread, _ in (first, crowd, single):
        thread.join(60)
    assert 1 in gate.batches[1], "the single query shares the next batch"
    assert values(crowd[1][0]) == list(range(100, 200))


def test_an_error_reaches_only_its_own_caller(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)
    others = [in_thread(lambda item=item: batcher.run([item])) for item in (1, 2, 3)]
    until(lambda: len(batcher._waiting) == 3)
    gate.fails_on = {2}
    gate.open.set()
    for thread, _ in (first, *others):
        thread.join(60)
    assert values(others[0][1][0]) == [1]
    assert isinstance(others[1][1][0], RuntimeError)
    assert values(others[2][1][0]) == [3]
    assert values(batcher.run([7])) == [7], "and the model goes on"


def test_a_query_that_waits_too_long_is_told_so_and_leaves_no_trace(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)
    monkeypatch.setattr(batcher, "_timeout_s", 0.05)
    with pytest.raises(ModelBusy, match=r"0\.05 seconds"):
        batcher.run([1])
    gate.open.set()
    first[0].join(60)
    assert values(first[1][0]) == [0]
    assert gate.batches == [[0]]


def test_many_threads_get_what_they_would_get_alone() -> None:
    fake = FakeEmbedder()
    shared = BatchingEmbedder(fake, most=8, timeout_s=60)
    rng = np.random.default_rng(5)
    wrong: list[str] = []

    def ask(seed: int) -> None:
        for turn in range(20):
            texts = [f"text {seed} {turn} {i}" for i in range(int(rng.integers(0, 12)))]
            if not np.array_equal(shared.embed_texts(texts), fake.embed_texts(texts)):
                wrong.append(f"{seed} {turn}")

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert max(shared.batch_sizes) <= 8
    assert sum(size * times for size, times in shared.batch_sizes.items()) > 0


def test_pictures_go_the_same_way() -> None:
    fake = FakeEmbedder()
    shared = BatchingEmbedder(fake, most=2, timeout_s=60)
    pictures = [photo(seed) for seed in range(5)]
    assert np.array_equal(shared.embed_images(pictures), fake.embed_images(pictures))
    assert shared.embed_images([]).shape == (0, fake.info.dimension)
    assert np.array_equal(
        shared.embed_pixels(shared.preprocess(pictures)), fake.embed_images(pictures)
    )
    assert shared.batch_sizes == {2: 2, 1: 1}
    assert shared.truncates("word " * 80)
    assert shared.info == fake.info


def test_a_caller_alone_with_the_model_has_a_deadline_as_well():
    batcher = Batcher(lambda items: slowly(items, 0.05), most=1, timeout_s=0.12)
    with pytest.raises(ModelBusy):
        batcher.run(list(range(1000)))


def test_what_nobody_waits_for_is_not_embedded_to_its_end():
    seen: list[int] = []

    def forward(items):
        seen.extend(items)
        return slowly(items, 0)

    batcher = Batcher(forward, most=2, timeout_s=60)
    with pytest.raises(Abandoned), abandoned_when(lambda: len(seen) >= 4):
        batcher.run(list(range(1000)))
    assert seen == [0, 1, 2, 3]
    assert len(batcher.run([7])) == 1


def test_one_who_has_gone_leaves_his_turn_to_the_next(gate: Gate) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=32, timeout_s=60)
    first = in_thread(lambda: batcher.run([0]))
    assert gate.entered.wait(60)

    def run_abandoned() -> list[Rows]:
        with abandoned_when(lambda: True):
            return batcher.run([1])

    gone = in_thread(run_abandoned)
    until(lambda: len(batcher._waiting) == 1)
    other = in_thread(lambda: batcher.run([2]))
    until(lambda: len(batcher._waiting) == 2)
    gate.open.set()
    for thread, _ in (first, gone, other):
        thread.join(30)
    assert isinstance(gone[1][0], Abandoned)
    assert values(other[1][0]) == [2]


def test_a_batch_wakes_its_own_callers_and_the_next_one(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher: Batcher[int] = Batcher(gate.forward, most=1, timeout_s=60)
    callers = [in_thread(lambda: batcher.run([0]))]
    assert gate.entered.wait(60)
    woken: list[int] = []
    for item in range(1, 9):
        callers.append(in_thread(lambda item=item: batcher.run([item])))
        until(lambda item=item: len(batcher._waiting) == item)
        group = batcher._waiting[-1]
        monkeypatch.setattr(
            group, "wake", lambda item=item, wake=group.wake: (woken.append(item), wake())
        )
    gate.open.set()
    for number, (thread, got) in enumerate(callers):
        thread.join(60)
        assert values(got[0]) == [number]
    assert woken == [item for item in range(1, 9) for _ in ("his turn", "his answer")]


def test_what_a_failed_batch_had_taken_is_free_when_its_items_are_tried_alone() -> None:
    taken: list[weakref.ref[Rows]] = []
    held: list[bool] = []

    def forward(items: list[int]) -> Rows:
        held.extend(reference() is not None for reference in taken)
        activations = np.ones((len(items), 2), np.float32)
        taken.append(weakref.ref(activations))
        if len(items) > 1:
            raise ModelBusy("the card has too little memory")
        return activations.copy()

    assert len(Batcher(forward, most=2, timeout_s=60).run([1, 2])) == 2
    assert held == [False, False, False]


def slowly(items, seconds: float):
    time.sleep(seconds)
    return np.ones((len(items), 2), np.float32)
