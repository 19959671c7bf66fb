"""Decoded pictures, which know how large their files' pictures are and what was odd about them.

A JPEG of 1273 pixels decodes at half size to 637, the last of which is half empty. Whoever resizes
it as if it were a whole picture shifts everything by a fraction of a pixel; so a decoded picture
carries its original size.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

__all__ = ["DecodedImage", "Scaled", "scale_of", "scaled_down"]


@dataclass(frozen=True, slots=True)
class Scaled:
    """Both as width and height in pixels.

    `original` is the size the picture would have had; `covered` the part of the decoded pixels
    that it fills.
    """

    original: tuple[int, int]
    covered: tuple[float, float]


class DecodedImage(Image.Image):
    """An upright RGB picture as `decode` gives it; what is cut or resized from it is plain again.

    `scale` is None for a picture decoded at full size. `warnings` say what was wrong with the file
    and is no reason to refuse it.
    """

    def __init__(
        self, image: Image.Image, *, scale: Scaled | None = None, warnings: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        # Pillow's way for subclasses ("Writing your own image plugin")
        self.im = image.im
        self._mode = image.mode
        self._size = image.size
        self.scale = scale
        self.warnings = warnings


def scaled_down(image: Image.Image, original: tuple[int, int]) -> Scaled:
    """The scale of a picture decoded at 1/2, 1/4 or 1/8 of `original` (both as they now stand)."""
    factor = round(max(original) / max(image.size))
    return Scaled(original, (original[0] / factor, original[1] / factor))


def scale_of(image: Image.Image) -> Scaled:
    """How much of an original a picture shows; any picture but one decoded smaller is whole."""
    scale = image.scale if isinstance(image, DecodedImage) else None
    return scale or Scaled(image.size, image.size)
