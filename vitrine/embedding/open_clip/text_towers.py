"""The text towers: open_clip's own transformer on CLIP's or SigLIP's modules, and those of the hub
that it wraps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel, SiglipTextConfig, SiglipTextModel

from vitrine.embedding.open_clip.config import OpenClipConfig
from vitrine.embedding.open_clip.filling import fill, linear, tensor_of
from vitrine.embedding.open_clip.tables import CLIP_TEXT, SIGLIP_TEXT, rename
from vitrine.embedding.open_clip.wrapped_text_tower import build_wrapped_tower

__all__ = ["TransformerTower", "build_text_tower"]

_State = Mapping[str, torch.Tensor]


class TransformerTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """A transformer, the token that stands for the text, and its projection.

    `pool` is open_clip's: the first or last token, that of the highest id, or the first of `eos`.
    """

    def __init__(self, model: Any, projection: torch.nn.Module, *, pool: str, eos: int) -> None:
        super().__init__()
        self.model = model
        self.projection = projection
        self.pool = pool
        self.eos = eos

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """(n, length) to (n, dimension)."""
        hidden = self.model(input_ids=ids).last_hidden_state
        rows: torch.Tensor = self.projection(self._pooled(hidden, ids))
        return rows

    def _pooled(self, hidden: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        if self.pool in ("first", "last"):
            return hidden[:, 0 if self.pool == "first" else -1]
        places = ids.to(torch.int) if self.pool == "argmax" else (ids == self.eos).to(torch.int)
        return hidden[torch.arange(len(hidden), device=hidden.device), places.argmax(dim=-1)]


def build_text_tower(
    config: OpenClipConfig, state: _State, *, name: str, attention: str | None
) -> torch.nn.Module:
    """The text tower: ids (n, length) and, where the tokenizer says so, a mask to rows (n,
    dimension).

    `ModelUnavailable` for one whose weights do not fit.
    """
    text = config.text
    if text.hf_model_name:
        return build_wrapped_tower(config, state, name=name, attention=attention)
    sizes = {
        "vocab_size": text.vocab_size,
        "hidden_size": text.width,
        "intermediate_size": int(text.width * text.mlp_ratio),
        "num_hidden_layers": text.layers,
        "num_attention_heads": text.heads,
        "max_position_embeddings": text.context_length,
        "hidden_act": _activation(config),
        "layer_norm_eps": text.norm_kwargs.eps,
        "attn_implementation": attention,
        **{"bos_token_id": None, "eos_token_id": 2, "pad_token_id": None},  # pooling is ours
    }
    if text.no_causal_mask:
        model, rules = SiglipTextModel(SiglipTextConfig(**sizes, projection_size=1)), SIGLIP_TEXT
        model.head = torch.nn.Identity()  # the projection follows the pooling, which is ours
    else:
        model, rules = CLIPTextModel(CLIPTextConfig(**sizes)), CLIP_TEXT
    rest = {key: tensor for key, tensor in state.items() if not key.startswith("text_projection")}
    fill(model, rename(rest, rules, name), name)
    return TransformerTower(
        model, _projection(config, state, name), pool=text.pool_type, eos=text.eos_id
    )


def _projection(config: OpenClipConfig, state: _State, name: str) -> torch.nn.Module:
    """(width, dimension) as a parameter, (dimension, width) as a layer with a bias, or none."""
    if config.text.proj_type == "none":
        return torch.nn.Identity()
    if not config.text.proj_bias:
        return linear(tensor_of(state, "text_projection", name).T)
    return linear(
        *(tensor_of(state, f"text_projection.{part}", name) for part in ("weight", "bias"))
    )


def _activation(config: OpenClipConfig) -> str:
    if config.model.quick_gelu:
        return "quick_gelu"
    return "gelu_pytorch_tanh" if config.text.act_kwargs.approximate == "tanh" else "gelu"
