"""A checkpoint in open_clip's layout as a model that runs as transformers' own do."""

from __future__ import annotations

import torch

from vitrine.embedding.checkpoint import Checkpoint
from vitrine.embedding.loaded_model import LoadedModel
from vitrine.embedding.open_clip.config import OpenClipConfig
from vitrine.embedding.open_clip.image_towers import build_image_tower
from vitrine.embedding.open_clip.preparing import image_preprocessor, load_open_clip_tokenizer
from vitrine.embedding.open_clip.text_towers import build_text_tower
from vitrine.embedding.open_clip.weights import read_weights

__all__ = ["OpenClipModel", "load_open_clip"]


class OpenClipModel(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """Two towers and the factor of the softmax, called as a dual encoder of transformers is."""

    def __init__(
        self, image_tower: torch.nn.Module, text_tower: torch.nn.Module, logit_scale: torch.Tensor
    ) -> None:
        super().__init__()
        self.image_tower = image_tower
        self.text_tower = text_tower
        self.logit_scale = torch.nn.Parameter(logit_scale)

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, dimension)."""
        rows: torch.Tensor = self.image_tower(pixel_values)
        return rows

    def get_text_features(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(n, length) to (n, dimension)."""
        rows: torch.Tensor = self.text_tower(input_ids, attention_mask)
        return rows


def load_open_clip(checkpoint: Checkpoint, *, attention: str | None = None) -> LoadedModel:
    """The checkpoint in memory.

    `ModelUnavailable` when it is damaged, or asks for a part that is not known here.

    `attention` names transformers' way to compute it (None: the model's default).
    """
    name, folder = checkpoint.name, checkpoint.folder
    config = OpenClipConfig.load(folder, name)
    (path,) = checkpoint.weights
    weights = read_weights(path, name)
    model = OpenClipModel(
        build_image_tower(config, weights.image, name=name, attention=attention),
        build_text_tower(config, weights.text, name=name, attention=attention),
        weights.logit_scale,
    )
    return LoadedModel(
        model.eval(),
        image_preprocessor(config),
        load_open_clip_tokenizer(folder, config, name),
    )
