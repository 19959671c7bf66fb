"""The picture towers: open_clip's own vision transformer, and those of timm that transformers has
as well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    ConvNextConfig,
    ConvNextModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from vitrine.embedding.open_clip.config import OpenClipConfig, VisionConfig
from vitrine.embedding.open_clip.filling import fill, linear, tensor_of
from vitrine.embedding.open_clip.tables import CLIP_VISION, CONVNEXT, SIGLIP_VISION, rename
from vitrine.embedding.open_clip.timm_tower import build_resnet, build_trunk
from vitrine.errors import ModelUnavailable

__all__ = ["ClipVisionTower", "build_image_tower"]

_State = Mapping[str, torch.Tensor]
_TIMM_EPS = 1e-6  # timm's transformers and ConvNeXts normalize with it
_SIGLIP = re.compile(r"vit_(base|large|so400m|giantopt)_patch(\d+)_siglip_(\d+)")
_SIGLIP_HEADS = {"base": 12, "large": 16, "so400m": 16, "giantopt": 16}
_SIGLIP_TANH = re.compile(
    r"vit_(base_patch32_siglip_256|large_patch16_siglip_512|so400m_patch16_.*|giantopt_.*)"
)
"""Those of timm's SigLIP towers whose definition asks for the approximate GELU."""


@dataclass(frozen=True)
class _Plan:
    """What a builder needs besides the weights."""

    config: OpenClipConfig
    name: str
    attention: str | None


class ClipVisionTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """CLIP's own: the class token of the last layer, normalized and projected."""

    def __init__(self, vision_model: Any, projection: torch.nn.Linear) -> None:
        super().__init__()
        self.vision_model = vision_model
        self.visual_projection = projection

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, dimension)."""
        seen = self.vision_model(pixel_values=pixels).pooler_output
        rows: torch.Tensor = self.visual_projection(seen)
        return rows


class _MeanTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """CLIPA's: the mean of the patches' tokens."""

    def __init__(self, model: Any, projection: torch.nn.Linear, *, norm_last: bool) -> None:
        super().__init__()
        self.model = model
        self.projection = projection
        self.norm_last = norm_last

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, dimension)."""
        hidden, norm = self.model(pixel_values=pixels).last_hidden_state, self.model.post_layernorm
        mean = (
            norm(hidden[:, 1:].mean(dim=1)) if self.norm_last else norm(hidden)[:, 1:].mean(dim=1)
        )
        rows: torch.Tensor = self.projection(mean)
        return rows


class _PooledTower(torch.nn.Module):  # type: ignore[misc]  # torch is not analyzed
    """A transformers model that pools by itself, and what follows it."""

    def __init__(self, model: Any, head: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.head = head

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) to (n, dimension)."""
        rows: torch.Tensor = self.head(self.model(pixel_values=pixels).pooler_output)
        return rows


def build_image_tower(
    config: OpenClipConfig, state: _State, *, name: str, attention: str | None
) -> torch.nn.Module:
    """The picture tower: pixels (n, 3, height, width) to rows (n, dimension).

    `ModelUnavailable` for a tower that transformers does not have, or whose weights do not fit.
    """
    plan = _Plan(config, name, attention)
    timm_name = config.vision.timm_model_name
    if not timm_name:
        if not isinstance(config.vision.layers, int):
            return build_resnet(config, state, name)
        return _clip(plan, state)
    if _SIGLIP.fullmatch(timm_name):
        return _siglip(plan, state)
    if timm_name.startswith("convnext_"):
        return _convnext(plan, state)
    return _trunk(plan, state)


def _clip(plan: _Plan, state: _State) -> torch.nn.Module:
    vision = plan.config.vision
    model = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=vision.width,
            intermediate_size=int(vision.width * vision.mlp_ratio),
            num_hidden_layers=vision.layers,
            num_attention_heads=vision.width // vision.head_width,
            image_size=vision.image_size,
            patch_size=vision.patch_size,
            hidden_act=_activation(vision, plan.config),
            layer_norm_eps=vision.norm_kwargs.eps,
            attn_implementation=plan.attention,
        )
    )
    if vision.no_ln_pre:
        model.pre_layrnorm = torch.nn.Identity()
    rest = {key: tensor for key, tensor in state.items() if key != "proj"}
    fill(model, rename(rest, CLIP_VISION, plan.name), plan.name)
    projection = linear(tensor_of(state, "proj", plan.name).T)
    if vision.pool_type == "avg":
        return _MeanTower(model, projection, norm_last=vision.final_ln_after_pool)
    return ClipVisionTower(model, projection)


def _siglip(plan: _Plan, state: _State) -> torch.nn.Module:
    vision = plan.config.vision
    match = _SIGLIP.fullmatch(vision.timm_model_name)
    if match is None or vision.timm_pool != "map":
        raise _unknown(plan.name, f"{vision.timm_model_name} with pool {vision.timm_pool}")
    trunk, head = _timm_parts(state)
    width, _, patch, _ = tensor_of(trunk, "patch_embed.proj.weight", plan.name).shape
    model = SiglipVisionModel(
        SiglipVisionConfig(
            hidden_size=width,
            intermediate_size=len(tensor_of(trunk, "blocks.0.mlp.fc1.weight", plan.name)),
            num_hidden_layers=len(
                {key.split(".")[1] for key in trunk if key.startswith("blocks.")}
            ),
            num_attention_heads=_SIGLIP_HEADS[match[1]],
            image_size=vision.image_size,
            patch_size=patch,
            hidden_act=(
                "gelu_pytorch_tanh" if _SIGLIP_TANH.fullmatch(vision.timm_model_name) else "gelu"
            ),
            layer_norm_eps=_TIMM_EPS,
            attn_implementation=plan.attention,
        )
    )
    for kind in ("weight", "bias"):  # one query for all pictures, so timm keeps it apart
        query, rest = trunk.pop(f"attn_pool.q.{kind}"), trunk.pop(f"attn_pool.kv.{kind}")
        trunk[f"attn_pool.qkv.{kind}"] = torch.cat([query, rest])
    trunk["pos_embed"] = trunk["pos_embed"].squeeze(0)
    fill(model, rename(trunk, SIGLIP_VISION, plan.name), plan.name)
    return _PooledTower(model, _timm_head(vision, head, plan.name))


def _convnext(plan: _Plan, state: _State) -> torch.nn.Module:
    vision = plan.config.vision
    trunk, head = _timm_parts(state)
    stages = sorted({int(key.split(".")[1]) for key in trunk if key.startswith("stages.")})
    blocks = [
        {key.split(".")[3] for key in trunk if key.startswith(f"stages.{stage}.blocks.")}
        for stage in stages
    ]
    widths = [
        len(tensor_of(trunk, f"stages.{stage}.blocks.0.conv_dw.bias", plan.name))
        for stage in stages
    ]
    model = ConvNextModel(
        ConvNextConfig(
            num_stages=len(stages),
            hidden_sizes=widths,
            depths=list(map(len, blocks)),
            patch_size=tensor_of(trunk, "stem.0.weight", plan.name).shape[-1],
            layer_norm_eps=_TIMM_EPS,
            image_size=vision.image_size,
        )
    )
    fill(model, rename(trunk, CONVNEXT, plan.name), plan.name)
    return _PooledTower(model, _timm_head(vision, head, plan.name))


def _trunk(plan: _Plan, state: _State) -> torch.nn.Module:
    trunk, head = _timm_parts(state)
    tower = build_trunk(plan.config, trunk, plan.name)
    return torch.nn.Sequential(tower, _timm_head(plan.config.vision, head, plan.name))


def _timm_parts(state: _State) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The trunk's weights, and those of the head that open_clip sets on top."""
    trunk, head = (
        {
            key.removeprefix(f"{part}."): tensor
            for key, tensor in state.items()
            if key.startswith(f"{part}.")
        }
        for part in ("trunk", "head")
    )
    return trunk, head


def _timm_head(vision: VisionConfig, state: dict[str, torch.Tensor], name: str) -> torch.nn.Module:
    """open_clip's projection on top of a timm trunk."""
    if vision.timm_proj in ("none", "") and not state:
        return torch.nn.Identity()
    if vision.timm_proj == "linear":
        return linear(
            tensor_of(state, "proj.weight", name),
            tensor_of(state, "proj.bias", name) if vision.timm_proj_bias else None,
        )
    if vision.timm_proj == "mlp":
        return torch.nn.Sequential(
            linear(tensor_of(state, "mlp.fc1.weight", name), state.get("mlp.fc1.bias")),
            torch.nn.GELU(),
            linear(tensor_of(state, "mlp.fc2.weight", name), state.get("mlp.fc2.bias")),
        )
    raise _unknown(name, f"{vision.timm_model_name} with projection {vision.timm_proj!r}")


def _activation(vision: VisionConfig, config: OpenClipConfig) -> str:
    if config.model.quick_gelu:
        return "quick_gelu"
    return "gelu_pytorch_tanh" if vision.act_kwargs.approximate == "tanh" else "gelu"


def _unknown(name: str, tower: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"the model {name} sees pictures through a tower that Vitrine does not have: {tower}"
    )
