"""Pictures decoded smaller than they are, which remember how large they were.

A JPEG of 1273 pixels decodes at half size to 637, the last of which is half empty. Whoever resizes it as if it were a
whole picture shifts everything by a fraction of a pixel; so the decoded picture carries its original size.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL.Image import Image

__all__ = ["Scaled", "remember_size", "scaled"]

_MARK = "vitrine_scaled"


@dataclass(frozen=True, slots=True)
class Scaled:
    """`original` is the size the picture would have had; `covered` the part of the decoded pixels it fills."""

    original: tuple[int, int]
    covered: tuple[float, float]


def remember_size(image: Image, original: tuple[int, int]) -> None:
    """Note on a picture decoded at 1/2, 1/4 or 1/8 what size it had (both as it now stands, width and height)."""
    factor = round(max(original) / max(image.size))
    image.info[_MARK] = (image.size, Scaled(original, (original[0] / factor, original[1] / factor)))


def scaled(image: Image) -> Scaled | None:
    """What `remember_size` noted; None for a picture that is whole, or was cut or resized since (Pillow copies notes along)."""
    size, noted = image.info.get(_MARK, (None, None))
    return noted if size == image.size else None
