"""Weights into a module, all of them and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from vitrine.errors import ModelUnavailable

__all__ = ["fill", "linear", "tensor_of"]


def fill(module: Any, state: Mapping[str, torch.Tensor], name: str) -> Any:
    """The module with these parameters.

    `ModelUnavailable` when one is missing, left over or of another shape.
    """
    try:
        module.load_state_dict(dict(state), strict=True, assign=True)
    except RuntimeError as error:
        cause = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"the weights of {name} do not fit its open_clip_config.json: {cause}"
        ) from error
    return module


def linear(weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.nn.Linear:
    """A linear layer of weights (outputs, inputs)."""
    outputs, inputs = weight.shape
    layer = torch.nn.Linear(inputs, outputs, bias=bias is not None)
    layer.weight = torch.nn.Parameter(weight.contiguous())
    if bias is not None:
        layer.bias = torch.nn.Parameter(bias)
    return layer


def tensor_of(state: Mapping[str, torch.Tensor], key: str, name: str) -> torch.Tensor:
    """The parameter; `ModelUnavailable` when the model `name` lacks it."""
    if key not in state:
        raise ModelUnavailable(
            f"the weights of {name} do not fit its open_clip_config.json: {key} is missing"
        )
    return state[key]
