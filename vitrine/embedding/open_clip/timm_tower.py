"""Picture towers that only timm has: MobileCLIP's, PE's, EVA's and CLIP's ResNets.

timm is the extra `timm`; it brings torchvision along, which must be of the same build as torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from vitrine.embedding.open_clip.config import OpenClipConfig
from vitrine.embedding.open_clip.filling import fill
from vitrine.errors import ModelUnavailable

__all__ = ["build_resnet", "build_trunk"]

_State = Mapping[str, torch.Tensor]
_RESNETS = {
    (3, 4, 6, 3): "resnet50_clip",
    (3, 4, 23, 3): "resnet101_clip",
    (4, 6, 10, 6): "resnet50x4_clip",
    (6, 8, 18, 8): "resnet50x16_clip",
    (3, 15, 36, 10): "resnet50x64_clip",
}
"""timm's names of CLIP's ResNets, by the blocks of their four layers."""


def build_trunk(config: OpenClipConfig, state: _State, name: str) -> Any:
    """The trunk of `timm_model_name` with its weights, pooled as the configuration says."""
    vision = config.vision
    timm = _timm(vision.timm_model_name, name)
    # without a projection of open_clip's the trunk's own head projects, as open_clip has it
    outputs = 0 if vision.timm_proj in ("linear", "mlp", "none") else config.dimension
    options: dict[str, Any] = {"global_pool": vision.timm_pool} if vision.timm_pool else {}
    try:
        trunk = timm.create_model(
            vision.timm_model_name, pretrained=False, num_classes=outputs, **options
        )
    except Exception as error:  # timm raises whatever an unknown name provokes in it
        raise ModelUnavailable(
            f"timm has no tower {vision.timm_model_name}, which the model {name} asks for: {error}"
        ) from error
    return fill(trunk, state, name)


def build_resnet(config: OpenClipConfig, state: _State, name: str) -> Any:
    """CLIP's modified ResNet, whose parameters timm renames by itself."""
    tower = _RESNETS.get(config.vision.layers) if isinstance(config.vision.layers, tuple) else None
    if tower is None:
        raise ModelUnavailable(
            f"the model {name} sees pictures through a ResNet of {config.vision.layers} blocks, "
            "which timm does not have"
        )
    timm = _timm("CLIP's ResNet", name)
    from timm.models.byobnet import checkpoint_filter_fn

    trunk = timm.create_model(
        tower, pretrained=False, num_classes=config.dimension, img_size=config.vision.image_size
    )
    renamed = checkpoint_filter_fn({f"visual.{key}": each for key, each in state.items()}, trunk)
    return fill(trunk, renamed, name)


def _timm(tower: str, name: str) -> Any:
    try:
        import timm
    except ImportError as error:
        raise ModelUnavailable(
            f"the model {name} sees pictures through {tower}, which needs timm: install "
            "vitrine[timm], with torchvision from the same index as torch"
        ) from error
    return timm
