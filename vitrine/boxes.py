"""Drawing detected objects onto a picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from vitrine.embedding import Detection

__all__ = ["draw_boxes"]

PALETTE = ("#d1495b", "#00798c", "#edae49", "#30638e", "#6a994e", "#7b2d8b", "#c05621", "#2f855a")


def draw_boxes(image: Image, objects: Sequence[Detection]) -> Image:
    """A copy of the picture with each object's box, label and score; one color per label."""
    drawn = image.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    unit = max(1, round(min(image.size) / 200))
    font = ImageFont.load_default(size=max(11, 6 * unit))
    colors = {
        label: PALETTE[i % len(PALETTE)]
        for i, label in enumerate(dict.fromkeys(o.label for o in objects))
    }
    for detection in sorted(objects, key=lambda o: o.score):
        _draw(pen, detection, colors[detection.label], font, unit)
    return drawn


def _draw(
    pen: ImageDraw.ImageDraw,
    detection: Detection,
    color: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    unit: int,
) -> None:
    left, top, right, bottom = detection.box
    pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=color, width=2 * unit)
    text = f"{detection.label[:40]} {detection.score:.2f}"
    frame = pen.textbbox((0, 0), text, font=font)
    height = frame[3] + 2 * unit
    tag_top = top - height if top >= height else top
    pen.rectangle((left, tag_top, left + frame[2] + 4 * unit, tag_top + height), fill=color)
    pen.text((left + 2 * unit, tag_top), text, font=font, fill="white")
