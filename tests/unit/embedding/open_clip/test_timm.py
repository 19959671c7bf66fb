"""Towers that only timm has, against open_clip itself: `pytest -m timm` where both are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.checkpoints import clip_tokenizer
from tests.data.open_clip import PICTURES, TEXTS
from vitrine.embedding.load import load_embedder
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

TEXT = {
    **{"context_length": 12, "width": 32, "heads": 4, "layers": 1, "hf_tokenizer_name": "tiny"},
    "tokenizer_kwargs": {"clean": "lower"},
}
TOWERS: dict[str, dict[str, Any]] = {
    "MobileCLIP": {"timm_model_name": "fastvit_mci0", "timm_pool": "avg", "timm_proj": None}
    | {"image_size": 256},
    "PE": {"timm_model_name": "vit_pe_core_tiny_patch16_384", "timm_pool": "map"}
    | {"timm_proj": None, "image_size": 384},
    "EVA": {"timm_model_name": "eva02_base_patch16_clip_224", "timm_pool": "token"}
    | {"timm_proj": None, "image_size": 224},
    "ResNet": {"layers": [3, 4, 6, 3], "width": 64, "patch_size": None, "image_size": 224},
}


@pytest.mark.timm
@pytest.mark.parametrize("tower", TOWERS)
def test_torch_gives_open_clips_own_vectors(
    tower: str, tmp_path: Path, configured: Callable[..., Settings]
) -> None:
    import open_clip
    from open_clip.push_to_hf_hub import save_for_hf

    tokenizer = clip_tokenizer()
    text = {**TEXT, "vocab_size": len(tokenizer)}
    configuration = {"embed_dim": 64, "vision_cfg": TOWERS[tower], "text_cfg": text}
    (tmp_path / f"{tower}-tiny.json").write_text(json.dumps(configuration))
    open_clip.add_model_config(tmp_path / f"{tower}-tiny.json")
    torch.manual_seed(3)
    model = open_clip.create_model(f"{tower}-tiny").eval()
    with torch.no_grad():
        for parameter in model.visual.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    folder = tmp_path / tower
    save_for_hf(
        model,
        tokenizer=tokenizer,
        model_config=configuration,
        save_directory=folder,
        safe_serialization=True,
    )
    theirs, prepare = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    theirs.eval()
    with torch.no_grad():
        pixels = torch.stack([prepare(picture) for picture in PICTURES])
        pictures = theirs.encode_image(pixels, normalize=True).numpy()
        texts = theirs.encode_text(tokenize(TEXTS), normalize=True).numpy()
    embedder = load_embedder(configured(model=str(folder), runtime="torch"))
    assert (embedder.embed_images(PICTURES) * pictures).sum(axis=1).min() > 0.9999
    assert (embedder.embed_texts(TEXTS) * texts).sum(axis=1).min() > 0.9999
    assert (pictures @ pictures.T).min() < 0.99999, "equal rows would prove nothing"
    assert np.isfinite(pictures).all()
