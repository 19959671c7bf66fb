"""Exports are slow to make, so the tests of this room share one data folder for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import checkpoints
from vitrine.embedding import exported, resizing
from vitrine.settings import Settings


@pytest.fixture(scope="session")
def models_home(tmp_path_factory: pytest.TempPathFactory, exports: Path) -> Path:
    return checkpoints.data_folder(tmp_path_factory.mktemp("models") / "data", exports)


@pytest.fixture
def configured(models_home: Path) -> Callable[..., Settings]:
    """Settings over the shared data folder, on the CPU."""

    def make(**given: Any) -> Settings:
        return Settings(**{"data_dir": models_home, "device": "cpu", **given})

    return make


@pytest.fixture
def exports_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports run in the test's own process, which has loaded torch already (each fresh process
    takes seconds for that)."""
    from vitrine.embedding import onnx_export  # here: it loads torch

    monkeypatch.setattr(
        exported, "_run", lambda request: onnx_export.main([request.model_dump_json()])
    )


@pytest.fixture
def pillow_resizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on processors without cykooz_resizer: what is seen then equals the checkpoint's own
    processor."""
    monkeypatch.setattr(resizing, "_INSTALLED", False)
