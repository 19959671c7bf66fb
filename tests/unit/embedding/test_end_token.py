"""CLIP's text tower, computed only as far as its vector needs: the model itself is the oracle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.end_token import EndTokenTower
from vitrine.embedding.tokenizer import Tokenizer
from vitrine.embedding.torch_runtime import load_dual_encoder

pytestmark = pytest.mark.slow  # loads torch

TEXTS = ("a red dress", "", "x " * 200, "blue shirt with stripes, something to drink coffee from")


def loaded(folder: Path) -> Any:
    return load_dual_encoder(Checkpoint(folder.name, folder), attention="eager")


@pytest.mark.parametrize("end_id", ["its own", 2])
def test_the_rows_are_the_models_own_and_only_what_differs_is_computed(
    clip_folder: Path, end_id: str | int
) -> None:
    checkpoint = loaded(clip_folder)
    model = checkpoint.model
    if end_id == 2:  # of checkpoints before transformers' #24773, whose end has the highest id
        model.text_model.eos_token_id = 2
    tower = EndTokenTower.of(model, checkpoint.tokenizer)
    assert tower is not None
    tokens = checkpoint.tokenizer.encode(TEXTS)
    ids, mask = torch.from_numpy(tokens.ids), torch.from_numpy(tokens.mask)
    lengths: list[int] = []
    with torch.inference_mode():
        theirs = model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        for layer in model.text_model.encoder.layers:
            layer.mlp.register_forward_hook(lambda _, given, __: lengths.append(given[0].shape[1]))
        torch.testing.assert_close(tower(ids), theirs)
    assert lengths == [76] * (len(lengths) - 1) + [1]


def test_only_clips_own_tower_is_taken_apart(
    clip_folder: Path, siglip_folder: Path, dual_folder: Path
) -> None:
    fitting = loaded(clip_folder).tokenizer
    for folder in (siglip_folder, dual_folder):
        assert EndTokenTower.of(AutoModel.from_pretrained(folder), fitting) is None


def test_texts_that_do_not_begin_alike_are_read_whole(clip_folder: Path) -> None:
    checkpoint = loaded(clip_folder)
    fitting, config = checkpoint.tokenizer, checkpoint.tokenizer.config
    without_start = json.dumps(json.loads(fitting.to_json()) | {"post_processor": None})
    for tokenizer in (
        Tokenizer(fitting.to_json(), replace(config, pad_first=True)),
        Tokenizer(without_start, config),
    ):
        assert EndTokenTower.of(checkpoint.model, tokenizer) is None
