"""Dual encoders with a temperature instead of a scale: their vectors and the factor together give
the logits that transformers gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from tests.checkpoints import photo, save_align, save_tipsv2
from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.load import load_embedder
from vitrine.embedding.torch_runtime import load_dual_encoder
from vitrine.settings import Settings

pytestmark = pytest.mark.slow  # loads torch

PICTURES = [photo(seed, 90, 70) for seed in range(4)]
TEXTS = ["a red dress", "blue shirt with stripes", "something to drink coffee from", "chair"]
WRITERS = {"align": save_align, "tipsv2": save_tipsv2}


@pytest.fixture(params=WRITERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return WRITERS[request.param](tmp_path / request.param)


def prepared(folder: Path) -> NDArray[np.float32]:
    return load_dual_encoder(Checkpoint("tiny", folder)).images.apply(PICTURES)


def test_vectors_and_factor_give_transformers_own_logits(
    folder: Path, configured: Callable[..., Settings]
) -> None:
    embedder = load_embedder(configured(model=str(folder), runtime="torch"))
    model: Any = AutoModel.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(TEXTS, return_tensors="pt", padding=True)
    pixels = torch.from_numpy(prepared(folder))
    with torch.no_grad():
        by_transformers = model(
            pixel_values=pixels,
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
        ).logits_per_image.numpy()
    scale = embedder.info.logit_scale
    logits = scale * embedder.embed_images(PICTURES) @ embedder.embed_texts(TEXTS).T
    assert scale == pytest.approx(1 / float(model.temperature.detach()))
    assert by_transformers.std() > 0.01 * scale, "equal logits would prove nothing"
    assert np.abs(logits - by_transformers).max() < 1e-4 * scale


@pytest.mark.usefixtures("pillow_resizes")
def test_aligns_pictures_are_prepared_as_its_processor_does(tmp_path: Path) -> None:
    from transformers.models.efficientnet.image_processing_pil_efficientnet import (
        EfficientNetImageProcessorPil,
    )

    folder = save_align(tmp_path / "align")
    processor = EfficientNetImageProcessorPil.from_pretrained(folder)
    expected = processor(PICTURES, return_tensors="np")["pixel_values"]
    level = float(processor.rescale_factor / min(processor.image_std))
    difference = np.abs(prepared(folder) - expected)
    assert difference.max() < 1.01 * level  # only what the crop keeps is resized
    assert difference.mean() < 0.05 * level
