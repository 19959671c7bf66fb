"""Boxes of detected objects: which of them are distinct, and drawing them onto a picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from vitrine.embedding import Detection

__all__ = ["distinct", "draw_boxes"]

PALETTE = ("#d1495b", "#00798c", "#edae49", "#30638e", "#6a994e", "#7b2d8b", "#c05621", "#2f855a")


SAME_BOX = 0.5
"""Intersection over union from which two boxes count as one object, as PASCAL VOC has it
(Everingham et al. 2010, section 4.2)."""

Box = tuple[float, float, float, float]


def distinct(objects: Sequence[Detection]) -> list[Detection]:
    """The best of each group of boxes that cover each other, whatever their labels, best first."""
    apart: list[Detection] = []
    for detection in sorted(objects, key=lambda each: -each.score):
        if all(_overlap(detection.box, other.box) < SAME_BOX for other in apart):
            apart.append(detection)
    return apart


def _overlap(box: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    union = _area(box) + _area(other) - common
    return common / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


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
