"""An installation that only serves: what it cannot do is told in a sentence with its remedy."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from vitrine.embedding import exported
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.errors import ModelUnavailable, VitrineError
from vitrine.extras import needs

pytestmark = pytest.mark.slow  # loads torch


def export(clip_folder: Path, tmp_path: Path) -> None:
    checkpoint = Checkpoint("shop-clip", clip_folder)
    exported.exported(checkpoint, tmp_path, fingerprint="f", role="clip", precision="fp32")


def test_a_missing_library_names_the_extra_that_brings_it() -> None:
    with (
        pytest.raises(VitrineError, match=r"reading this needs no_such_lib.*vitrine\[catalogues\]"),
        needs("catalogues", "reading this"),
    ):
        import no_such_lib  # type: ignore[import-not-found]  # noqa: F401


def test_a_model_that_was_not_exported_says_how_to_export_it(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(exported, "find_spec", lambda name: None if name == "torch" else real(name))
    with pytest.raises(
        ModelUnavailable, match=r"shop-clip has not been exported.*`vitrine export`"
    ):
        export(clip_folder, tmp_path)


@pytest.mark.parametrize(
    ("returncode", "sentence"),
    [
        (-9, "was ended by SIGKILL; most likely there was too little memory"),
        (-15, "was ended by SIGTERM$"),
    ],
)
def test_an_export_that_was_killed_says_by_what(
    clip_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    returncode: int,
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(
        exported.subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, returncode, "", ""),
    )
    with pytest.raises(ModelUnavailable, match=f"exporting shop-clip to ONNX {sentence}"):
        export(clip_folder, tmp_path)
    assert "exporting shop-clip for ONNX Runtime, which is done once" in caplog.text
