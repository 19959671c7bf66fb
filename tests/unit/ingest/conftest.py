"""A shop with nothing in it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.ingest.catalogue import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)
