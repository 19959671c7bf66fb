"""A `CLIPEncoderLayer` in two steps, so that it can be computed for some of the tokens alone."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["keys_and_values", "layer_of"]


def keys_and_values(layer: Any, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the tokens (n, length, width) give those that attend to them, both (n, heads, length,
    width of a head)."""
    attention, normed = layer.self_attn, layer.layer_norm1(tokens)
    return (
        _by_head(attention, attention.k_proj(normed)),
        _by_head(attention, attention.v_proj(normed)),
    )


def layer_of(
    layer: Any,
    tokens: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """What the layer makes of tokens (n, length, width) that attend to these keys and values.

    The mask is added to the logits of the attention.
    """
    attention = layer.self_attn
    queries = _by_head(attention, attention.q_proj(layer.layer_norm1(tokens)))
    logits = queries @ keys.transpose(2, 3) * attention.scale
    weights = torch.softmax(logits if mask is None else logits + mask, dim=-1)
    tokens = tokens + attention.out_proj((weights @ values).transpose(1, 2).flatten(2))
    return torch.as_tensor(tokens + layer.mlp(layer.layer_norm2(tokens)))


def _by_head(attention: Any, rows: torch.Tensor) -> torch.Tensor:
    return rows.unflatten(-1, (attention.num_heads, attention.head_dim)).transpose(1, 2)
