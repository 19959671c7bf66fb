"""CLIP's picture tower without the work that its vector does not need, for exports."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CLIPVisionModel

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
        rows: torch.Tensor = self.model.visual_projection(
            vision.post_layernorm(_first_token(last, hidden)[:, 0])
        )
        return rows


def _first_token(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
    """What a `CLIPEncoderLayer` makes of the first token, (n, 1, width), of all tokens (n,
    length, width)."""
    attention, normed, first = layer.self_attn, layer.layer_norm1(hidden), hidden[:, :1]

    def by_head(rows: torch.Tensor) -> torch.Tensor:
        return rows.unflatten(-1, (attention.num_heads, attention.head_dim)).transpose(1, 2)

    queries, keys, values = (
        by_head(attention.q_proj(normed[:, :1])),
        by_head(attention.k_proj(normed)),
        by_head(attention.v_proj(normed)),
    )
    weights = torch.softmax(queries @ keys.transpose(2, 3) * attention.scale, dim=-1)
    first = first + attention.out_proj((weights @ values).transpose(1, 2).flatten(2))
    return torch.as_tensor(first + layer.mlp(layer.layer_norm2(first)))
