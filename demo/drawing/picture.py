"""Draws an item as an image: the product posed, its shadow under it, its background behind it."""

import math
import random
from dataclasses import dataclass

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image

from demo.drawing.backgrounds import draw_background
from demo.drawing.easel import Easel
from demo.drawing.item import KINDS, Item
from demo.drawing.palette import Palette, tint

__all__ = ["draw", "draw_cutout"]

MARGIN = 8.0
"""Units around the 100 x 100 of a drawing, so that no pose leaves the canvas."""


@dataclass(frozen=True)
class Pose:
    """How a drawing is laid on the picture: its middle, scale, turn in degrees, and where its middle goes, in units."""

    middle: tuple[float, float]
    scale: tuple[float, float]
    turn: float
    place: tuple[float, float]

    def matrix(self) -> skia.Matrix:
        """Returns the way from the drawing's units to the posed units."""
        matrix = skia.Matrix()
        matrix.setTranslate(-self.middle[0], -self.middle[1])
        matrix.postScale(*self.scale)
        matrix.postRotate(self.turn)
        matrix.postTranslate(*self.place)
        return matrix


@dataclass(frozen=True)
class Sketch:
    """A drawn product that waits to be laid on a picture; `ground` is where its foot stands, None if it hangs."""

    drawing: skia.Picture
    pose: Pose
    ground: skia.Rect | None
    rng: random.Random


def draw(item: Item, size: int = 320) -> Image.Image:
    """Returns the item as a square RGB image of `size` pixels; the same item gives the same pixels."""
    sketch = _sketch(item)
    pixels = np.empty((size, size, 4), np.uint8)
    canvas = _canvas(pixels, size / 100)
    draw_background(canvas, item.background, sketch.rng, size=(100, 100))
    _cast_shadow(canvas, sketch)
    canvas.drawPicture(sketch.drawing, sketch.pose.matrix())
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]))


def draw_cutout(item: Item, size: int) -> Image.Image:
    """Returns the item alone as a square RGBA image of `size` pixels, transparent around it, without a shadow."""
    sketch = _sketch(item)
    pixels = np.zeros((size, size, 4), np.uint8)
    canvas = _canvas(pixels, size / 100)
    canvas.drawPicture(sketch.drawing, sketch.pose.matrix())
    return Image.frombytes("RGBa", (size, size), pixels.tobytes()).convert("RGBA")


def _canvas(pixels: NDArray[np.uint8], scale: float) -> skia.Canvas:
    surface = skia.Surface(pixels, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType)
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    return canvas


def _sketch(item: Item) -> Sketch:
    rng = random.Random(item.seed)
    kind = KINDS[item.category]
    palette = Palette(tint(item.colour, rng), tint(item.accent, rng))
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(skia.Rect.MakeLTRB(-MARGIN, -MARGIN, 100 + MARGIN, 100 + MARGIN))
    easel = Easel.set_up(canvas, palette, pattern=item.pattern, material=item.material, rng=rng)
    kind.draw(easel, item.silhouette)
    stands = kind.stands and item.silhouette not in kind.hung
    pose = _pose(easel.extent, rng, stands=stands)
    ground = _ground(easel.extent, pose) if stands else None
    return Sketch(recorder.finishRecordingAsPicture(), pose, ground, rng)


def _pose(extent: skia.Rect, rng: random.Random, *, stands: bool) -> Pose:
    """Returns a pose in which the whole product is on the picture, a standing one in its lower part."""
    turn = rng.gauss(0, 0.7) if stands else max(-9.0, min(9.0, rng.gauss(0, 3.5)))
    stretch = rng.uniform(0.95, 1.06)
    wide, high = extent.width() * stretch, extent.height()
    slant = abs(math.sin(math.radians(turn)))
    across, down = wide + high * slant, high + wide * slant
    size = 100 * rng.uniform(0.66, 0.92) / max(across, down)
    room_x, room_y = (96 - across * size) / 2, (96 - down * size) / 2
    dx = rng.uniform(-room_x, room_x) * 0.8
    dy = rng.uniform(0.2, 0.9) * room_y if stands else rng.uniform(-room_y, room_y) * 0.8
    flip = rng.choice((-1, 1))
    return Pose((extent.centerX(), extent.centerY()), (flip * stretch * size, size), turn, (50 + dx, 50 + dy))


def _ground(extent: skia.Rect, pose: Pose) -> skia.Rect:
    half = extent.width() * abs(pose.scale[0]) * 0.46
    foot = pose.place[1] + extent.height() / 2 * pose.scale[1]
    return skia.Rect.MakeLTRB(pose.place[0] - half, foot - 3.4, pose.place[0] + half, foot + 1.8)


def _cast_shadow(canvas: skia.Canvas, sketch: Sketch) -> None:
    rng = sketch.rng
    strength = rng.uniform(0.25, 0.45)
    dx, dy = rng.uniform(-3, 3), rng.uniform(1.5, 3.5)
    if sketch.ground is not None:
        dark = skia.Paint(AntiAlias=True, Color4f=skia.Color4f(0, 0, 0.03, strength + 0.15))
        dark.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 1.8))
        canvas.drawOval(sketch.ground, dark)
        strength, dy = strength * 0.6, dy * 0.3
    black = skia.ColorFilters.Blend(skia.Color4f(0, 0, 0.04, strength), skia.ColorSpace.MakeSRGB(), skia.BlendMode.kSrcIn)
    layer = skia.Paint(ImageFilter=skia.ImageFilters.Blur(1.8, 1.8), ColorFilter=black)
    matrix = sketch.pose.matrix()
    matrix.postTranslate(dx, dy)
    canvas.drawPicture(sketch.drawing, matrix, layer)
