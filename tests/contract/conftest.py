"""Every contract test gets its `versions` and `index` from each backend in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.backends import BACKENDS
from tests.contract.catalogue import DIMENSION, SCHEMA
from vitrine.index import IndexVersions, VectorIndex

MAPPING = {"product": {"id": "id"}}


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.timeout(600)) for name in BACKENDS]
)  # a busy machine is slow
def open_again(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], IndexVersions]]:
    """Opens the same versions, each time as another process would."""
    opened: list[Any] = []

    def make() -> IndexVersions:
        opened.append(BACKENDS[request.param](tmp_path / "data"))
        return opened[-1]

    yield make
    for versions in opened:
        versions.close()


@pytest.fixture
def versions(open_again: Callable[[], IndexVersions]) -> IndexVersions:
    """Empty versions of one backend."""
    return open_again()


@pytest.fixture
def create(versions: IndexVersions) -> Callable[[], VectorIndex]:
    """Makes an empty version with every field type."""
    return lambda: versions.create(
        model="org/some-model",
        fingerprint="f" * 64,
        dimension=DIMENSION,
        schema=SCHEMA,
        mapping=MAPPING,
    )


@pytest.fixture
def index(create: Callable[[], VectorIndex]) -> VectorIndex:
    """An empty version."""
    return create()
