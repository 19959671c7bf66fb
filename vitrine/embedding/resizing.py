"""A part of a picture resized to what a model looks at."""

from __future__ import annotations

import platform
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitrine.images.decode import LARGE

__all__ = ["resized"]

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

_KERNELS = {
    Image.Resampling.BILINEAR: "bilinear",
    Image.Resampling.BICUBIC: "catmull_rom",
    Image.Resampling.LANCZOS: "lanczos3",
}
"""cykooz_resizer's names of Pillow's filters.

A box filter is left to Pillow: between two results, rounding decides whose a source pixel is.
"""

_INSTALLED = platform.machine() in ("x86_64", "AMD64")
"""Whether cykooz_resizer is, by the condition in pyproject.toml."""

_WIDEST = 4
"""Pixels on either side of a result's place that a filter looks at (Lanczos: 3), and one to spare.

They are pixels of the result, or of the source where it is enlarged.
"""


def resized(
    image: Image.Image, size: tuple[int, int], resample: Image.Resampling, box: Box
) -> NDArray[np.uint8]:
    """The part `box` of an RGB picture at `size` (width, height): (height, width, 3).

    By cykooz_resizer, in less than a third of Pillow's time and by the same filters: its result
    does not depend on the instructions that a processor has, and of a photograph one value in 300
    differs from Pillow's, by one level. Pillow does the rest: other filters, pictures of more than
    `LARGE` pixels, which would be copied twice, and everything on processors other than x86-64, for
    which cykooz_resizer has no wheels on Linux.
    """
    large = image.width * image.height > LARGE
    if not _INSTALLED or large or resample not in _KERNELS:
        return np.asarray(image.resize(size, resample, box=box))
    return _resized(image, size, _KERNELS[resample], box)


def _resized(image: Image.Image, size: tuple[int, int], kernel: str, box: Box) -> NDArray[np.uint8]:
    """By cykooz_resizer, a direction at a time and in Pillow's order, with whole levels between.

    Asked for both directions at once the library takes columns first, and where it enlarges,
    version 4.0.1 may read outside the picture and crash.
    """
    import cykooz_resizer as library

    width, height = size
    # as Pillow holds them; so the differences are exact, and no sum passes the picture's edge
    left, top, right, bottom = (float(np.float32(bound)) for bound in box)
    across, down = right - left, bottom - top
    # as Pillow 13 decides for the whole picture
    less_high = image.height * (1 - height / down)
    less_wide = image.width * max(0.0, 1 - width / across)
    parts: tuple[Box, Box]
    if less_high > 2 * less_wide:
        first, columns = _needed(left, right, width, image.width)
        parts = (first, top, columns, down), (left - first, 0, across, height)
        between = (columns, height)
    else:
        first, rows = _needed(top, bottom, height, image.height)
        parts = (left, first, across, rows), (0, top - first, width, down)
        between = (width, rows)
    rgb = library.PixelType.U8x3
    filtering = library.ResizeAlg.convolution(library.FilterType[kernel])
    resizer = library.Resizer()
    pixels = library.ImageData(*image.size, rgb, image.tobytes())
    for part, made in zip(parts, (between, size), strict=True):
        source, pixels = pixels, library.ImageData(*made, rgb)
        options = library.ResizeOptions(filtering, crop_box=library.CropBox(*part))
        resizer.resize(source, pixels, options)
    return np.frombuffer(pixels.get_buffer(), np.uint8).reshape(height, width, 3)


def _needed(start: float, end: float, made: int, length: int) -> tuple[int, int]:
    """First and number of the rows (or columns) from which `made` between two bounds are made."""
    beside = _WIDEST * max(1.0, (end - start) / made)
    first = max(0, floor(start - beside))
    return first, min(length, ceil(end + beside)) - first
