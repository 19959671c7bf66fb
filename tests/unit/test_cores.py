"""As many cores as scheduler and container leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vitrine import cores
from vitrine.cores import physical_cores, usable_cores


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("max 100000\n", 8),
        ("250000 100000\n", 3),
        ("50000 100000\n", 1),
        ("9900000 100000\n", 8),
        ("nonsense", 8),
        (None, 8),
    ],
)
def test_a_container_s_quota_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, count: int
) -> None:
    file = tmp_path / "cpu.max"
    if told is not None:
        file.write_text(told)
    monkeypatch.setattr(cores, "_CGROUP", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert usable_cores() == count


def test_where_the_scheduler_does_not_tell_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("siblings", "quota", "count"),
    [
        (["0,2", "1,3", "0,2", "1,3"], "max 100000", 2),
        (["0", "1", "2", "3"], "max 100000", 4),
        (["0", "1", "2", "3"], "200000 100000", 2),
        (["0-3"] * 4, "200000 100000", 1),
        ([], "max 100000", 4),  # not told
    ],
)
def test_processors_of_one_core_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, siblings: list[str], quota: str, count: int
) -> None:
    for number, shared in enumerate(siblings):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{shared}\n")
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(cores, "_TOPOLOGY", tmp_path)
    monkeypatch.setattr(cores, "_CGROUP", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    assert physical_cores() == count
