"""CLIP's picture tower without the work that its vector does not need, for exports."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CLIPVisionModel

from vitrine.embedding.clip_layer import keys_and_values, layer_of

__all__ = ["ClassTokenTower"]


class ClassTokenTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """Pixels to projected rows, by the parts of a `CLIPVisionModel`.

    Of the last layer only the class token is read (Radford et al., arXiv:2103.00020): the other
    tokens give it their keys and values there, and are not computed further. The rows are the same;
    of twelve layers five sixths of one are saved.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether a dual encoder's pictures go through a `CLIPVisionModel`."""
        return isinstance(getattr(model, "vision_model", None), CLIPVisionModel) and hasattr(
            model, "visual_projection"
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, dimension)."""
        vision = self.model.vision_model
        hidden = vision.pre_layrnorm(vision.embeddings(pixels))
        *layers, last = vision.encoder.layers
        for layer in layers:
            hidden = layer(hidden, None)
        first = layer_of(last, hidden[:, :1], *keys_and_values(last, hidden))
        rows: torch.Tensor = self.model.visual_projection(vision.post_layernorm(first[:, 0]))
        return rows
