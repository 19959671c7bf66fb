"""As many cores as scheduler and container leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vitrine import cores
from vitrine.cores import usable_cores


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
