"""What the tests of texts as graphs share."""

from __future__ import annotations

from functools import cache

import pytest

from tests.unit.embedding.text_graphs.towers import Models, load_tower
from vitrine.embedding import text_graphs
from vitrine.embedding.loaded_model import LoadedModel


@pytest.fixture(autouse=True)
def as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_graphs, "_CAPTURING_S", 1e9)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A tiny checkpoint of a family by name."""
    home = tmp_path_factory.mktemp("towers")

    @cache
    def load(family: str) -> LoadedModel:
        return load_tower(family, home)

    return load
