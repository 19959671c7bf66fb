"""CLIP's picture tower, computed only as far as its vector needs: the model itself is the
oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel

from vitrine.embedding.class_token import ClassTokenTower

pytestmark = pytest.mark.slow  # loads torch


def test_the_rows_are_the_models_own_and_the_last_layer_computes_one_token(
    clip_folder: Path,
) -> None:
    model: Any = AutoModel.from_pretrained(clip_folder, attn_implementation="eager").eval()
    size = model.config.vision_config.image_size
    pixels = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(5))
    lengths = []
    *_, last = model.vision_model.encoder.layers
    tower = ClassTokenTower(model)
    with torch.inference_mode():
        theirs = model.get_image_features(pixel_values=pixels).pooler_output
        last.mlp.register_forward_hook(lambda _, given, __: lengths.append(given[0].shape[1]))
        torch.testing.assert_close(tower(pixels), theirs)
    assert lengths == [1]


def test_only_clips_own_tower_is_taken_apart(
    clip_folder: Path, siglip_folder: Path, dual_folder: Path
) -> None:
    fits = [
        ClassTokenTower.fits(AutoModel.from_pretrained(folder))
        for folder in (clip_folder, siglip_folder, dual_folder)
    ]
    assert fits == [True, False, False]
