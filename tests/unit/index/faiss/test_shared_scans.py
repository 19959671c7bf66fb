"""Queries that wait for a scan share one pass over the rows, and get what each would get alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.waiting import until
from vitrine.cohort import Cohort, searching, set_out
from vitrine.embedding.batching import Batcher
from vitrine.index.faiss.vectors import shared_scans
from vitrine.index.faiss.vectors.shared_scans import SharedScans

Codes = NDArray[np.uint8]


def random_codes(rows: int, dimension: int, seed: int) -> Codes:
    return np.random.default_rng(seed).integers(0, 256, (rows, dimension), dtype=np.uint8)


def brute_force(codes: Codes, query: Codes) -> NDArray[np.float32]:
    return (codes.astype(np.int64) @ query[0].astype(np.int64)).astype(np.float32)


def scan_together(
    scans: SharedScans, queries: list[Codes], use: Callable[[Any], Any] = np.copy
) -> list[Any]:
    """What each query gets when all of them have come while a scan was running."""
    got: list[Any] = [None] * len(queries)

    def ask(place: int) -> None:
        try:
            got[place] = scans.scan(queries[place], use)
        except MemoryError as error:
            got[place] = error

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(queries))]
    with scans._scanning:
        for thread in threads:
            thread.start()
        until(lambda: len(scans._waiting) == len(queries))
    for thread in threads:
        thread.join(60)
    return got


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each pass over the rows."""
    counted: list[int] = []
    inner = shared_scans.parallel_parts

    def counting(*args: Any, **named: Any) -> Any:
        counted.append(len(counted))
        return inner(*args, **named)

    monkeypatch.setattr(shared_scans, "parallel_parts", counting)
    return counted


@pytest.mark.parametrize("dimension", [3, 100, 512])
def test_queries_that_wait_share_a_pass(dimension: int, passes: list[int]) -> None:
    codes = random_codes(30_000, dimension, seed=1)  # two threads' share, the second one short
    queries = [random_codes(1, dimension, seed=2 + place) for place in range(5)]
    scans = SharedScans(codes)
    for query, dots in zip(queries, scan_together(scans, queries), strict=True):
        assert np.array_equal(dots, brute_force(codes, query))
    assert len(passes) == 1
    assert np.array_equal(scans.scan(queries[0], np.copy), brute_force(codes, queries[0]))
    assert len(passes) == 2


def test_a_pass_begins_when_the_queries_that_were_embedded_together_are_there(
    monkeypatch: pytest.MonkeyPatch, passes: list[int]
) -> None:
    monkeypatch.setattr(shared_scans, "_PATIENCE_S", 60)
    codes = random_codes(10, 8, seed=1)
    queries = [random_codes(1, 8, seed=2 + place) for place in range(4)]
    scans, cohort, got = SharedScans(codes), Cohort(4), dict[int, Any]()

    def ask(place: int) -> None:
        set_out(cohort)
        got[place] = scans.scan(queries[place], np.copy)

    threads = []
    for place in range(4):  # each comes when those before it wait
        threads.append(threading.Thread(target=ask, args=(place,)))
        threads[-1].start()
        until(lambda: place == 3 or len(scans._waiting) == place + 1)  # noqa: B023
        assert len(passes) == 0 or place == 3
    for thread in threads:
        thread.join(60)
    assert all(np.array_equal(got[place], brute_force(codes, queries[place])) for place in range(4))
    assert len(passes) == 1


def test_a_pass_does_not_wait_for_ever_for_a_query_that_does_not_come(
    monkeypatch: pytest.MonkeyPatch, passes: list[int]
) -> None:
    monkeypatch.setattr(shared_scans, "_PATIENCE_S", 0.001)
    codes, query = random_codes(10, 8, seed=1), random_codes(1, 8, seed=2)
    set_out(Cohort(2))
    assert np.array_equal(SharedScans(codes).scan(query, np.copy), brute_force(codes, query))
    assert len(passes) == 1


def test_a_query_that_is_alone_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, query = random_codes(10, 8, seed=1), random_codes(1, 8, seed=2)
    monkeypatch.setattr(Cohort, "wait", lambda *_: pytest.fail("waited"))
    batcher = Batcher[int](lambda items: np.zeros((len(items), 8), np.float32), most=4, timeout_s=9)
    scans = SharedScans(codes)
    for number in range(2):
        with searching():
            batcher.run([number])
            dots = scans.scan(query, np.copy)
        assert np.array_equal(dots, brute_force(codes, query))


def test_a_pass_has_at_most_sixteen_queries(passes: list[int]) -> None:
    codes = random_codes(10, 8, seed=1)
    queries = [random_codes(1, 8, seed=2 + place) for place in range(20)]
    got = scan_together(SharedScans(codes), queries)
    assert all(map(np.array_equal, got, [brute_force(codes, query) for query in queries]))
    assert len(passes) == 2


def test_what_a_pass_that_failed_would_have_told_is_scanned_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes, inner, failed = random_codes(10, 8, seed=1), shared_scans.parallel_parts, []

    def failing_once(*args: Any, **named: Any) -> Any:
        if not failed:
            failed.append(True)
            raise MemoryError
        return inner(*args, **named)

    monkeypatch.setattr(shared_scans, "parallel_parts", failing_once)
    queries = [random_codes(1, 8, seed=2 + place) for place in range(4)]
    got = scan_together(SharedScans(codes), queries)
    assert sum(isinstance(dots, MemoryError) for dots in got) == 1
    for query, dots in zip(queries, got, strict=True):
        assert isinstance(dots, MemoryError) or np.array_equal(dots, brute_force(codes, query))


def test_what_fails_for_one_query_fails_for_no_other(passes: list[int]) -> None:
    codes = random_codes(10, 8, seed=1)
    queries = [random_codes(1, 8, seed=2 + place) for place in range(4)]
    largest = max(brute_force(codes, query).max() for query in queries)

    def use(dots: NDArray[np.float32]) -> float:
        if dots.max() == largest:
            raise MemoryError
        return float(dots.max())

    got = scan_together(SharedScans(codes), queries, use)
    best = [brute_force(codes, query).max() for query in queries]
    assert [isinstance(each, MemoryError) for each in got] == [each == largest for each in best]
    assert [each for each in got if not isinstance(each, MemoryError)] == [
        each for each in best if each != largest
    ]
    assert len(passes) in (1, 2)  # the one that fails may be the one that scans
