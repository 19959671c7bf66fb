"""Pictures with a color profile become sRGB, which is what models and browsers take pixels for."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

__all__ = ["to_srgb"]

_MODES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
"""Pillow's mode -> the color space that a profile for such pixels names (ICC.1, 7.2.6)."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture as sRGB pixels; a damaged profile, or one of other pixels, is passed over."""
    pixels = image if image.mode in _MODES else image.convert("RGB")
    transform = _transform(profile, pixels.mode)
    return pixels.convert("RGB") if transform is None else transform.apply(pixels)


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion into sRGB, which a shop's pictures share; None where none is needed."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        description = ImageCms.getProfileDescription(source)
        if "srgb" in description.casefold() or source.profile.xcolor_space != _MODES[mode]:
            return None
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.ImageCmsTransform(source, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
