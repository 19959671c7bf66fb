"""Random crops, flips and light on a batch of pictures.

Hue is left alone: a red dress must stay red.
"""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["IMAGE_MEAN", "IMAGE_STD", "augmented", "flipped_and_lit", "normalized"]

IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)
"""CLIP's own, so that every processor's defaults are right."""


def normalized(pixels: Tensor) -> Tensor:
    """Returns pixels (B, 3, H, W) in 0..1 shifted and scaled by CLIP's mean and deviation."""
    mean = torch.tensor(IMAGE_MEAN, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGE_STD, device=pixels.device).view(1, 3, 1, 1)
    return (pixels - mean) / std


def _crops(count: int, generator: torch.Generator, least: float) -> Tensor:
    """Affine maps (count, 2, 3) for sampling: a window of `least`..1.05 of each side, moved
    inside the picture, half of them mirrored."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator, device=generator.device) * (high - low) + low

    size = uniform(least, 1.05)
    stretch = torch.exp(uniform(-0.12, 0.12))
    wide, high = (size * stretch).clamp(max=1.08), (size / stretch).clamp(max=1.08)
    angle = uniform(-0.12, 0.12)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3, device=generator.device)
    theta[:, 0, 0], theta[:, 0, 1] = mirrored * wide * angle.cos(), -high * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = mirrored * wide * angle.sin(), high * angle.cos()
    theta[:, 0, 2] = uniform(-1, 1) * (1 - wide).clamp(min=0)
    theta[:, 1, 2] = uniform(-1, 1) * (1 - high).clamp(min=0)
    return theta


def _lit(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Pixels in 0..1, each picture a little brighter or darker, with a little more or less
    contrast."""
    light, contrast = (
        torch.rand(2, len(pixels), 1, 1, 1, generator=generator, device=pixels.device) * 0.36 - 0.18
    )
    middle = pixels.mean((1, 2, 3), keepdim=True)
    return ((pixels - middle) * (1 + contrast) + middle * (1 + light)).clamp(0, 1)


def flipped_and_lit(images: Tensor, mirrored: Tensor, generator: torch.Generator) -> Tensor:
    """Returns pictures (B, H, W, 3) uint8 as a normalized batch, those that are `mirrored` (B,)
    flipped, all lit at random.

    All three are on one device.
    """
    pixels = images.permute(0, 3, 1, 2).float() / 255
    pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    return normalized(_lit(pixels, generator))


def augmented(
    images: Tensor, size: int, generator: torch.Generator, *, least: float = 0.7
) -> Tensor:
    """Returns pictures (B, H, W, 3) uint8 as a normalized batch (B, 3, size, size), each cropped,
    turned and lit at random.

    Randomness comes from `generator`, which is on the pictures' device, alone. A window shows at
    least `least` of each side.
    """
    count = len(images)
    pixels = images.permute(0, 3, 1, 2).float() / 255
    grid = functional.affine_grid(
        _crops(count, generator, least), [count, 3, size, size], align_corners=False
    )
    pixels = functional.grid_sample(
        pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return normalized(_partly_covered(_lit(pixels, generator), generator))


def _partly_covered(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """A quarter of the pictures with a gray square of a quarter of their side somewhere (Zhong
    et al. 2017, random erasing)."""
    count, size = len(pixels), pixels.shape[-1]
    chosen, tone, top, left = torch.rand(
        4, count, 1, 1, 1, generator=generator, device=pixels.device
    )
    places = torch.arange(size, device=pixels.device) / (size - size // 4)
    reach = (size // 4) / (size - size // 4)
    rows, columns = places.view(-1, 1) - top, places - left
    covered = (chosen < 0.25) & (rows >= 0) & (rows < reach) & (columns >= 0) & (columns < reach)
    return torch.where(covered, tone, pixels)
