"""How the detector's fresh vision transformer begins, and what it copies from the dual encoder's
tower."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel
from transformers.models.owlvit.modeling_owlvit import OwlViTForObjectDetection

__all__ = ["Teacher", "begin_local"]


def begin_local(model: OwlViTForObjectDetection, *, seed: int) -> None:
    """Gives the vision transformer a start from which little data teaches it to look around itself,
    in place.

    Position embeddings are sines of both coordinates; attention starts near the identity, as it
    ends in trained transformers (Trockman and Kolter 2023, mimetic initialization).
    """
    vision = model.owlvit.vision_model
    side = vision.config.image_size // vision.config.patch_size
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        vision.embeddings.position_embedding.weight[1:] = _sines(side, vision.config.hidden_size)
        for layer in vision.encoder.layers:
            _mimic(layer.self_attn, vision.config.num_attention_heads, generator)
        for head in (
            model.box_head.dense0,
            model.box_head.dense1,
            model.class_head.dense0,
        ):  # transformers leaves them at deviation 1
            nn.init.xavier_uniform_(head.weight, generator=generator)
        nn.init.normal_(
            model.box_head.dense2.weight, std=0.01, generator=generator
        )  # every token's box starts at its own place


def _sines(side: int, width: int) -> Tensor:
    """(side * side, width) sines and cosines of row and column."""
    rates = 1 / 100 ** (torch.arange(width // 4) / (width // 4))
    places = torch.arange(side).float()
    waves = places[:, None] * rates
    line = torch.cat((waves.sin(), waves.cos()), 1)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return 0.5 * torch.cat((rows, columns), 2).reshape(side * side, width)


def _mimic(attention: nn.Module, heads: int, generator: torch.Generator) -> None:
    width = attention.q_proj.weight.shape[0]
    each = width // heads
    for head in range(heads):
        rows = slice(head * each, (head + 1) * each)
        target = 0.7 * torch.randn(
            width, width, generator=generator
        ) / width**0.5 + 0.7 * torch.eye(width)
        left, strengths, right = torch.linalg.svd(target)
        root = strengths[:each].sqrt()
        attention.q_proj.weight[rows] = (left[:, :each] * root).T
        attention.k_proj.weight[rows] = right[:each] * root[:, None]
    target = 0.4 * torch.randn(width, width, generator=generator) / width**0.5 - 0.4 * torch.eye(
        width
    )
    left, strengths, right = torch.linalg.svd(target)
    attention.v_proj.weight.copy_(right * strengths.sqrt()[:, None])
    attention.out_proj.weight.copy_(left * strengths.sqrt())


class Teacher(nn.Module):  # type: ignore[misc]  # torch is not followed
    """The dual encoder's tower, whose map of 16-pixel places a layer of the transformer learns
    to tell as well."""

    def __init__(self, clip: Path, width: int) -> None:
        """`width` is that of the transformer.

        Loads the checkpoint folder; only the linear projection on top is trained.
        """
        super().__init__()
        tower = AutoModel.from_pretrained(clip, local_files_only=True).vision_model
        self.backbone = tower.embeddings.backbone.eval().requires_grad_(False)
        self.projection = nn.Linear(width, self.backbone.channels[1])

    def trained(self) -> list[nn.Parameter]:
        """The parameters that are trained."""
        return list(self.projection.parameters())

    def loss(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        """Returns the mean squared error of telling the tower's features (each of unit variance
        over the batch) from tokens (B, T, W)."""
        with torch.no_grad():
            maps = self.backbone(pixels).feature_maps[1].float()
        target = maps.flatten(2).transpose(1, 2)
        target = (target - target.mean((0, 1))) / target.std((0, 1)).clamp(min=1e-4)
        return functional.smooth_l1_loss(self.projection(tokens).float(), target.clamp(-5, 5))
