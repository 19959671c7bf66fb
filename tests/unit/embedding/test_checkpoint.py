"""Where models are found, and what their fingerprint covers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vitrine.embedding.checkpoint import Checkpoint, find_checkpoint
from vitrine.errors import ModelUnavailable

pytestmark = pytest.mark.slow  # loads torch


@pytest.fixture
def copied(clip_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clip_folder, tmp_path / "copy"))


def test_a_copy_has_the_same_fingerprint(clip_folder: Path, copied: Path, tmp_path: Path) -> None:
    assert Checkpoint("a", clip_folder).fingerprint(tmp_path) == Checkpoint(
        "b", copied
    ).fingerprint(tmp_path)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"]
)
def test_every_file_that_changes_vectors_changes_the_fingerprint(
    name: str, copied: Path, tmp_path: Path
) -> None:
    before = Checkpoint("a", copied).fingerprint(tmp_path)
    data = bytearray((copied / name).read_bytes())
    data[-10] ^= 1
    (copied / name).write_bytes(data)
    assert Checkpoint("a", copied).fingerprint(tmp_path) != before


def test_other_files_do_not(copied: Path, tmp_path: Path) -> None:
    before = Checkpoint("a", copied).fingerprint(tmp_path)
    (copied / "README.md").write_text("A info")
    assert Checkpoint("a", copied).fingerprint(tmp_path) == before


def test_large_weights_are_hashed_once(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0" * 1_000_000)
    calls: list[Any] = []
    real = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: calls.append(file) or real(file, kind)
    )
    first = Checkpoint("a", copied).fingerprint(tmp_path)
    assert Checkpoint("a", copied).fingerprint(tmp_path) == first
    assert len(calls) == 1
    changed = bytearray(weights.read_bytes())
    changed[-1] = 1
    weights.write_bytes(changed)
    os.utime(weights, (1, 1))
    assert Checkpoint("a", copied).fingerprint(tmp_path) != first
    assert len(calls) == 2


def test_safetensors_go_before_torch_files(copied: Path) -> None:
    (copied / "pytorch_model.bin").write_bytes(b"old")
    assert [path.name for path in Checkpoint("a", copied).weights] == ["model.safetensors"]


def test_all_parts_of_sharded_weights_are_needed(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "model-1.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (copied / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match=r"model-2\.safetensors"):
        _ = Checkpoint("a", copied).weights


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_an_incomplete_folder_says_what_it_lacks(
    missing: str, copied: Path, tmp_path: Path
) -> None:
    (copied / missing).unlink()
    checkpoint = Checkpoint("shop-clip", copied)
    with pytest.raises(ModelUnavailable, match=rf"shop-clip.*{missing}"):
        _ = checkpoint.config, checkpoint.weights


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "three/part/name", "bad name"]
)
def test_a_folder_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"folder {name} does not exist"):
        find_checkpoint(name, "clip")


def test_an_installation_without_the_demo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine.embedding.checkpoint.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="VITRINE_MODEL"):
        find_checkpoint("bundled", "clip")


def hub_cache(folder: Path, checkpoint: Path) -> Path:
    """The hub's cache as its client lays it out, holding the checkpoint as shop/clip."""
    home = folder / "hub"
    repository = home / "models--shop--clip"
    shutil.copytree(checkpoint, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    return home


def asked_of_the_hub(cache: Path, model: str) -> str:
    """What a process says that looks for a model while no hub answers (port 9, discard)."""
    program = (
        "import sys\n"
        "from vitrine.embedding.checkpoint import find_checkpoint\n"
        "from vitrine.errors import ModelUnavailable\n"
        "try:\n    print(find_checkpoint(sys.argv[1], 'clip').folder)\n"
        "except ModelUnavailable as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", program, model],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_hub_out_of_reach_is_told_with_what_to_do(tmp_path: Path) -> None:
    told = asked_of_the_hub(tmp_path, "openai/clip-vit-base-patch32")
    for part in (
        "openai/clip-vit-base-patch32",
        "cannot be reached",
        "VITRINE_MODEL=FOLDER",
        "VITRINE_MODEL=bundled",
        "HF_HOME",
    ):
        assert part in told


def test_a_model_in_the_hubs_cache_needs_no_hub(tmp_path: Path, clip_folder: Path) -> None:
    cache = hub_cache(tmp_path, clip_folder)
    assert asked_of_the_hub(cache, "shop/clip") == str(
        cache / "models--shop--clip" / "snapshots" / "abc"
    )


def test_a_download_that_broke_off_is_not_taken_for_the_model(
    tmp_path: Path, clip_folder: Path
) -> None:
    cache = hub_cache(tmp_path, clip_folder)
    (cache / "models--shop--clip" / "snapshots" / "abc" / "model.safetensors").unlink()
    assert "cannot be reached" in asked_of_the_hub(cache, "shop/clip")


@pytest.mark.parametrize("damage", [b"", b"not a hash", b"\xff\xfe"])
def test_a_remembered_hash_that_is_damaged_is_computed_again(
    copied: Path, tmp_path: Path, damage: bytes
) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0" * 1_000_000)
    first = Checkpoint("a", copied).fingerprint(tmp_path)
    (remembered,) = (tmp_path / "hashes").iterdir()
    remembered.write_bytes(damage)
    assert Checkpoint("a", copied).fingerprint(tmp_path) == first
    assert len(remembered.read_bytes()) == 64
