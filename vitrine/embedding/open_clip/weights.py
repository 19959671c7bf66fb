"""The tensors of a checkpoint in open_clip's layout, sorted by tower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from vitrine.errors import ModelUnavailable

__all__ = ["TowerWeights", "read_weights"]

_BUFFERS = ("attn_mask", "embeddings.position_ids")
"""Constants that older versions saved among the weights."""


@dataclass(frozen=True)
class TowerWeights:
    """float32 tensors by their names within each tower, and the factor of the softmax."""

    image: Mapping[str, torch.Tensor]
    text: Mapping[str, torch.Tensor]
    logit_scale: torch.Tensor


def read_weights(path: Path, name: str) -> TowerWeights:
    """The weights of the model `name`.

    A file of torch's own format is read as tensors alone, which runs no code. `ModelUnavailable`
    when the file is damaged, holds more than tensors, or is of another layout.
    """
    state = {
        key.removeprefix("module."): tensor.float() for key, tensor in _tensors(path, name).items()
    }
    image = {
        key.removeprefix("visual."): tensor
        for key, tensor in state.items()
        if key.startswith("visual.")
    }
    text = {
        key.removeprefix("text."): tensor
        for key, tensor in state.items()
        if not key.startswith(("visual.", "logit_")) and not key.endswith(_BUFFERS)
    }
    if not (image and text and "logit_scale" in state):
        raise ModelUnavailable(
            f"{path} holds no image tower, text tower and logit_scale as open_clip saves them; the "
            f"model {name} is of another layout"
        )
    return TowerWeights(image, text, state["logit_scale"].reshape(()))


def _tensors(path: Path, name: str) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip, safetensors: their readers share no exception
        cause = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"the weights {path} of the model {name} cannot be read as tensors: {cause}"
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    return {key: tensor for key, tensor in state.items() if isinstance(tensor, torch.Tensor)}
