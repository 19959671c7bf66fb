"""How many serving processes there are where the settings do not say."""

from __future__ import annotations

import pytest

from service import serving
from vitrine.settings import Settings


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8), (96, 8)])
def test_one_for_two_cores(monkeypatch: pytest.MonkeyPatch, cores: int, workers: int) -> None:
    monkeypatch.setattr(serving, "usable_cores", lambda: cores)
    assert serving._with_processes(Settings()).workers == workers
    assert serving._with_processes(Settings(workers=3)).workers == 3


def test_an_index_of_one_process_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "usable_cores", lambda: 16)
    local = Settings(backend="qdrant", qdrant_url=":memory:")
    assert serving._with_processes(local).workers == 1
    server = Settings(backend="qdrant", qdrant_url="http://localhost:6333")
    assert serving._with_processes(server).workers == 8
