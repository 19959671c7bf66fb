"""VITRINE_DIMENSION keeps the leading components, only where the checkpoint says that it may."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.checkpoints import photo
from tests.data.open_clip import FOLDERS
from vitrine.embedding.load import load_embedder, load_encoder
from vitrine.errors import InvalidSettings
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

Configured = Callable[..., Settings]
TEXTS = ["a red dress", "blue shirt with stripes"]
PICTURES = [photo(seed) for seed in range(3)]


@pytest.fixture(params=["transformers", "open_clip"])
def matryoshka(request: pytest.FixtureRequest, tmp_path: Path, clip_folder: Path) -> Path:
    """A checkpoint that says that its vectors may be cut to 8 and 12 components."""
    if request.param == "transformers":
        folder, name = Path(shutil.copytree(clip_folder, tmp_path / "nested")), "config.json"
    else:
        folder = Path(shutil.copytree(FOLDERS / "clip", tmp_path / "nested"))
        name = "open_clip_config.json"
    config = json.loads((folder / name).read_text())
    target = config if request.param == "transformers" else config["model_cfg"]
    target["matryoshka_dimensions"] = [12, 8]
    (folder / name).write_text(json.dumps(config))
    return folder


def test_rows_are_the_leading_components_at_unit_length(
    matryoshka: Path, configured: Configured
) -> None:
    whole = load_embedder(configured(model=str(matryoshka), runtime="torch"))
    short = load_embedder(configured(model=str(matryoshka), runtime="torch", dimension=8))
    assert short.info.dimension == 8
    for rows, all_rows in (
        (short.embed_texts(TEXTS), whole.embed_texts(TEXTS)),
        (short.embed_images(PICTURES), whole.embed_images(PICTURES)),
    ):
        leading = all_rows[:, :8] / np.linalg.norm(all_rows[:, :8], axis=1, keepdims=True)
        assert np.abs(rows - leading).max() < 1e-6
    assert short.embed_texts([]).shape == (0, 8)


def test_vectors_of_another_length_have_another_fingerprint(
    matryoshka: Path, configured: Configured
) -> None:
    prints = {
        load_embedder(
            configured(model=str(matryoshka), runtime="torch", dimension=dimension)
        ).info.fingerprint
        for dimension in (0, 8, 12)
    }
    assert len(prints) == 3


def test_a_dimension_that_the_checkpoint_does_not_name_is_refused(
    matryoshka: Path, configured: Configured
) -> None:
    with pytest.raises(InvalidSettings, match=r"VITRINE_DIMENSION.*allows 8, 12"):
        load_embedder(configured(model=str(matryoshka), runtime="torch", dimension=10))


def test_an_embedder_elsewhere_that_gives_other_vectors_is_refused(
    matryoshka: Path, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_encoder(configured(model=str(matryoshka), runtime="torch"))
    monkeypatch.setattr("vitrine.embedding.remote.RemoteEmbedder", lambda _: whole)
    elsewhere = {"model": str(matryoshka), "embedder_url": "http://127.0.0.1:1"}
    with pytest.raises(InvalidSettings, match=r"VITRINE_DIMENSION.*gives vectors of"):
        load_embedder(configured(**elsewhere, dimension=8))
    assert load_embedder(configured(**elsewhere)).info == whole.info


def test_a_checkpoint_that_was_not_trained_for_it_is_never_cut(
    clip_folder: Path, configured: Configured
) -> None:
    with pytest.raises(InvalidSettings, match="does not say that its vectors may be cut"):
        load_embedder(configured(model=str(clip_folder), runtime="torch", dimension=8))
