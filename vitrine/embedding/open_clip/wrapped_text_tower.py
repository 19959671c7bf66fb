"""The text towers that open_clip takes from the hub: BERT's family, pooled and projected.

The checkpoint names the model it began with, but not its sizes; these follow from the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from vitrine.embedding.open_clip.config import OpenClipConfig
from vitrine.embedding.open_clip.filling import fill, linear, tensor_of
from vitrine.errors import ModelUnavailable

__all__ = ["WrappedTower", "build_wrapped_tower"]

_State = Mapping[str, torch.Tensor]
_HEAD_WIDTH = 64  # of every BERT and RoBERTa that was published
_FAMILIES: Mapping[str, tuple[Any, Any, dict[str, Any]]] = {
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel, {"layer_norm_eps": 1e-5, "pad_token_id": 1}),
    "roberta": (RobertaConfig, RobertaModel, {"layer_norm_eps": 1e-5, "pad_token_id": 1}),
    "bert": (BertConfig, BertModel, {"layer_norm_eps": 1e-12, "pad_token_id": 0}),
}
"""By what the name holds, the most particular first."""


class WrappedTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """A transformers model, the mean of its tokens or the first one, and a projection."""

    def __init__(self, model: Any, projection: torch.nn.Module, *, pool: str) -> None:
        super().__init__()
        self.model = model
        self.projection = projection
        self.pool = pool

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, length) to (n, dimension)."""
        output = self.model(input_ids=ids, attention_mask=mask)
        rows: torch.Tensor = self.projection(self._pooled(output, mask))
        return rows

    def _pooled(self, output: Any, mask: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = output.last_hidden_state
        if self.pool == "mean_pooler":
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            return (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        if self.pool == "cls_pooler":
            return torch.as_tensor(output.pooler_output)
        return hidden[:, 0]


def build_wrapped_tower(
    config: OpenClipConfig, state: _State, *, name: str, attention: str | None
) -> torch.nn.Module:
    """The tower of `hf_model_name`.

    `ModelUnavailable` for a family that is not known here, or weights that do not fit.
    """
    text = config.text
    family = next((key for key in _FAMILIES if key in text.hf_model_name.lower()), None)
    if family is None:
        raise ModelUnavailable(
            f"the model {name} reads texts through {text.hf_model_name}, which Vitrine does not "
            f"know; it knows those of {', '.join(_FAMILIES)}"
        )
    configuration, model_class, fixed = _FAMILIES[family]
    inner = {
        key.removeprefix("transformer."): tensor
        for key, tensor in state.items()
        if key.startswith("transformer.")
    }
    embeddings = tensor_of(inner, "embeddings.word_embeddings.weight", name)
    layers = {key.split(".")[2] for key in inner if key.startswith("encoder.layer.")}
    model = model_class(
        configuration(
            vocab_size=embeddings.shape[0],
            hidden_size=embeddings.shape[1],
            num_hidden_layers=len(layers),
            num_attention_heads=max(1, embeddings.shape[1] // _HEAD_WIDTH),
            intermediate_size=len(
                tensor_of(inner, "encoder.layer.0.intermediate.dense.bias", name)
            ),
            max_position_embeddings=len(
                tensor_of(inner, "embeddings.position_embeddings.weight", name)
            ),
            type_vocab_size=len(tensor_of(inner, "embeddings.token_type_embeddings.weight", name)),
            attn_implementation=attention,
            **{"bos_token_id": None, "eos_token_id": None},
            **fixed,
        ),
        add_pooling_layer=text.hf_pooler_type == "cls_pooler",
    )
    return WrappedTower(
        fill(model, inner, name), _projection(config, state, name), pool=text.hf_pooler_type
    )


def _projection(config: OpenClipConfig, state: _State, name: str) -> torch.nn.Module:
    if config.text.hf_proj_type == "linear":
        return linear(tensor_of(state, "proj.weight", name))
    return torch.nn.Sequential(
        linear(tensor_of(state, "proj.0.weight", name)),
        torch.nn.GELU(),
        linear(tensor_of(state, "proj.2.weight", name)),
    )
