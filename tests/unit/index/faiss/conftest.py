"""Versions of the embedded index in a fresh folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.catalogue import DIMENSION, SCHEMA
from vitrine.index.faiss import FaissVersions, open_versions
from vitrine.index.faiss.index import FaissIndex
from vitrine.settings import Settings

Open = Callable[..., FaissVersions]


@pytest.fixture
def open_faiss(tmp_path: Path) -> Iterator[Open]:
    """Opens the same versions as another process would; keyword arguments are settings."""
    opened: list[FaissVersions] = []

    def make(**settings: object) -> FaissVersions:
        opened.append(open_versions(Settings(data_dir=tmp_path, **settings)))
        return opened[-1]

    yield make
    for versions in opened:
        versions.close()


def create(versions: FaissVersions) -> FaissIndex:
    """A new version with every field type."""
    index = versions.create(
        model="some/model", fingerprint="f" * 64, dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    assert isinstance(index, FaissIndex)
    return index
