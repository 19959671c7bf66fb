"""Which layout a folder has, and that what cannot be built is refused in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.data.open_clip import FOLDERS
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.layouts import is_complete, layout_of, needed_weights
from vitrine.embedding.torch_runtime import load_dual_encoder
from vitrine.errors import ModelUnavailable

pytestmark = pytest.mark.slow  # loads torch

MARQO_CONFIG = {
    "auto_map": {"AutoModel": "marqo_fashionSigLIP.MarqoFashionSigLIP"},
    "model_type": "siglip",
}


@pytest.fixture
def siglip(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / "siglip", tmp_path / "siglip"))


def change(folder: Path, part: str, **fields: Any) -> None:
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"][part].update(fields)
    path.write_text(json.dumps(config))


def test_a_folder_whose_config_asks_for_code_is_read_in_open_clips_layout(siglip: Path) -> None:
    (siglip / "config.json").write_text(json.dumps(MARQO_CONFIG))
    (siglip / "marqo_fashionSigLIP.py").write_text("raise SystemExit('code of the checkpoint ran')")
    shutil.copy(siglip / "open_clip_model.safetensors", siglip / "model.safetensors")
    checkpoint = Checkpoint("shop", siglip)
    assert checkpoint.layout == "open_clip"
    assert [path.name for path in checkpoint.weights] == ["open_clip_model.safetensors"]
    assert load_dual_encoder(checkpoint).model.get_text_features is not None


def test_transformers_layout_goes_before_open_clips(siglip: Path, siglip_folder: Path) -> None:
    for path in siglip_folder.iterdir():
        shutil.copy(path, siglip)
    assert Checkpoint("both", siglip).layout == "transformers"
    assert is_complete(siglip)


def test_every_file_of_the_layout_changes_the_fingerprint(siglip: Path, tmp_path: Path) -> None:
    prints = {Checkpoint("a", siglip).fingerprint(tmp_path)}
    for name in ("open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"):
        data = bytearray((siglip / name).read_bytes())
        data[-10] ^= 1
        (siglip / name).write_bytes(data)
        prints.add(Checkpoint("a", siglip).fingerprint(tmp_path))
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("files", "config", "needed"),
    [
        (
            [
                *("open_clip_config.json", "config.json", "model.safetensors"),
                *("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
            ],
            MARQO_CONFIG,
            ["open_clip_model.safetensors"],
        ),
        (
            ["open_clip_config.json", "open_clip_pytorch_model.bin"],
            None,
            ["open_clip_pytorch_model.bin"],
        ),
        (
            [
                *("config.json", "model.safetensors", "pytorch_model.bin"),
                *("open_clip_config.json", "open_clip_model.safetensors"),
            ],
            {"model_type": "clip"},
            ["model.safetensors"],
        ),
        (
            [
                *("config.json", "model.safetensors.index.json", "pytorch_model.bin"),
                *("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
            ],
            {"model_type": "clip"},
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
    ],
)
def test_only_the_weights_that_are_needed_are_downloaded(
    files: list[str], config: dict[str, Any] | None, needed: list[str], tmp_path: Path
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert needed_weights(tmp_path, files) == needed


def test_a_download_without_its_weights_is_not_complete(siglip: Path) -> None:
    assert is_complete(siglip)
    assert layout_of(siglip) == "open_clip"
    (siglip / "open_clip_model.safetensors").unlink()
    assert not is_complete(siglip)


def _without(key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        state = load_file(folder / "open_clip_model.safetensors")
        del state[key]
        save_file(state, folder / "open_clip_model.safetensors")

    return damage


def _with(key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        state = load_file(folder / "open_clip_model.safetensors")
        save_file({**state, key: torch.zeros(3)}, folder / "open_clip_model.safetensors")

    return damage


def _code_in_pickle(folder: Path) -> None:
    (folder / "open_clip_model.safetensors").unlink()
    torch.save({"visual.proj": print}, folder / "open_clip_pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: change(folder, "vision_cfg", qk_norm=True), r"vision_cfg\.qk_norm"),
        (lambda folder: change(folder, "text_cfg", embed_cls=True), r"text_cfg\.embed_cls"),
        (lambda folder: change(folder, "text_cfg", pool_type="none"), r"text_cfg\.pool_type"),
        (
            lambda folder: change(folder, "vision_cfg", timm_model_name="unheard_of_224"),
            r"unheard_of_224, which needs timm: install vitrine\[timm\]|no tower unheard_of_224",
        ),
        (_without("visual.trunk.blocks.0.norm1.weight"), "do not fit its open_clip_config.json"),
        (_without("text.text_projection.bias"), "do not fit its open_clip_config.json"),
        (_with("visual.trunk.blocks.0.ls1.gamma"), r"hold blocks\.0\.ls1\.gamma"),
        (_with("text.cls_emb"), "hold cls_emb"),
        (_without("logit_scale"), "of another layout"),
        (_code_in_pickle, "cannot be read as tensors"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer in"),
    ],
)
def test_what_cannot_be_built_is_refused_in_words(
    damage: Callable[[Path], None], message: str, siglip: Path
) -> None:
    damage(siglip)
    with pytest.raises(ModelUnavailable, match=message):
        load_dual_encoder(Checkpoint("shop", siglip))
