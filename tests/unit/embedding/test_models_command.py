"""`vitrine models` lists what is worth using, without a hub, and times what is here."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.data.open_clip import FOLDERS
from tests.unit.embedding.test_checkpoint import hub_cache
from vitrine.embedding.commands import models
from vitrine.embedding.known_models import known_models


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the command in a data folder of its own, where no name can be looked up."""

    def no_network(*_: object, **__: object) -> None:
        pytest.fail("a host was asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VITRINE_DEVICE", "cpu")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def call(*options: str) -> dict[str, dict[str, Any]]:
        done = CliRunner().invoke(models, ["--json", *options], catch_exceptions=False)
        assert done.exit_code == 0
        return {row["name"]: row for row in json.loads(done.stdout)}

    return call


def test_all_are_listed_and_those_here_are_told(listed: Any) -> None:
    rows = listed("--no-times")
    assert [row["name"] for row in rows.values() if row["present"]] == ["bundled"]
    assert set(rows) == {model.name for model in known_models()}
    assert rows["openai/clip-vit-base-patch32"]["configured"]
    assert rows["Marqo/marqo-ecommerce-embeddings-B"]["here"] == "not on this machine"
    assert all(row["license"] and row["languages"] and row["dimension"] for row in rows.values())


@pytest.mark.slow  # loads torch
def test_a_model_in_the_hubs_cache_is_here(listed: Any, tmp_path: Path, clip_folder: Path) -> None:
    cache = hub_cache(tmp_path, clip_folder)
    repository = cache / "models--shop--clip"
    repository.rename(cache / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K")
    rows = listed("--no-times")
    assert rows["laion/CLIP-ViT-B-32-laion2B-s34B-b79K"]["present"]


def test_a_folder_that_is_configured_comes_first_and_is_timed(
    listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.embedding.commands.known_models", lambda: known_models()[1:])
    folder = shutil.copytree(FOLDERS / "siglip", tmp_path / "shop")
    monkeypatch.setenv("VITRINE_MODEL", str(folder))
    first = next(iter(listed().values()))
    assert (first["name"], first["dimension"], first["present"]) == (str(folder), 24, True)
    assert first["text_ms"] > 0 < first["picture_ms"]
    assert "by torch, a text" in first["here"], "an export would take a minute"


def test_a_model_that_cannot_be_run_is_told_and_the_others_are_listed(
    listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.embedding.commands.known_models", lambda: known_models()[1:])
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.setenv("VITRINE_MODEL", str(folder))
    rows = listed()
    assert "cannot be run: the model" in rows[str(folder)]["here"]
    assert len(rows) == len(known_models())


def test_what_is_said_of_the_bundled_model_is_so(bundled_clip: Path) -> None:
    (row,) = [model for model in known_models() if model.name == "bundled"]
    config = json.loads((bundled_clip / "config.json").read_text())
    assert row.dimension == config["projection_dim"]
    size = (bundled_clip / "model.safetensors").stat().st_size
    assert row.megabytes == round(size / 1e6)


@pytest.fixture
def bundled_clip() -> Path:
    return Path(__file__).parents[3] / "demo" / "checkpoints" / "clip"
