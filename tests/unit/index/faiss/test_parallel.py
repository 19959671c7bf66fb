"""Work shared among the cores: nothing is lost, and nobody waits for a busy core."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from vitrine.index.faiss.vectors import parallel
from vitrine.index.faiss.vectors.parallel import parallel_map


@pytest.fixture(params=[0, 1, 3])
def others(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A processor with so many cores besides the one that asks."""
    monkeypatch.setattr(parallel, "_other_cores", lambda: request.param)
    parallel._pool.cache_clear()
    yield request.param
    parallel._pool.cache_clear()


def test_the_parts_follow_each_other_and_each_is_worked_on_once(others: int):
    seen: list[int] = []

    def work(part: int) -> np.ndarray:
        seen.append(part)
        return np.full(part, part)

    for parts in ([3], [1, 2], [5, 0, 2, 7, 1, 1, 4]):
        seen.clear()
        assert parallel_map(work, parts).tolist() == [part for part in parts for _ in range(part)]
        assert sorted(seen) == sorted(parts)


def test_it_goes_on_while_the_other_cores_are_busy(others: int):
    free = threading.Event()
    busy = [parallel._pool().submit(free.wait, 30) for _ in range(max(1, others))]
    here = threading.get_ident()
    assert (
        parallel_map(lambda part: np.array([threading.get_ident()]), range(6)).tolist()
        == [here] * 6
    )
    free.set()
    assert all(work.result(30) for work in busy)


def test_trouble_on_any_core_reaches_the_one_who_asked(others: int):
    def work(part: int) -> np.ndarray:
        if part == 4:
            raise OSError("the file is gone")
        return np.zeros(1)

    with pytest.raises(OSError, match="the file is gone"):
        parallel_map(work, range(6))


def test_those_who_ask_at_once_share_the_other_cores(others: int):
    with parallel._callers as alone, parallel._callers as second, parallel._callers as third:
        assert (alone, second, third) == (others, others // 2, others // 3)
    with parallel._callers as again:
        assert again == others
