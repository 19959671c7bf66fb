"""Draws an item as an image: the product posed, its shadow under it, its background behind it."""

import random
from dataclasses import dataclass

import numpy as np
import skia
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
    """Size (1 is the drawing's own), turn in degrees, stretch of the width, and shift in units."""

    size: float
    turn: float
    stretch: float
    shift: tuple[float, float]

    def matrix(self) -> skia.Matrix:
        """Returns the way from the drawing's units to the posed units."""
        matrix = skia.Matrix()
        matrix.setTranslate(-50, -50)
        matrix.postScale(self.size * self.stretch, self.size)
        matrix.postRotate(self.turn)
        matrix.postTranslate(50 + self.shift[0], 50 + self.shift[1])
        return matrix


def draw(item: Item, size: int = 320) -> Image.Image:
    """Returns the item as a square RGB image of `size` pixels; the same item gives the same pixels."""
    product, pose, rng = _product(item)
    pixels = np.empty((size, size, 4), np.uint8)
    canvas = _canvas(pixels, size / 100)
    draw_background(canvas, item.background, rng, size=(100, 100))
    _cast_shadow(canvas, item, product, pose, rng)
    canvas.drawPicture(product, pose.matrix())
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]))


def draw_cutout(item: Item, size: int) -> Image.Image:
    """Returns the item alone as a square RGBA image of `size` pixels, transparent around it, without a shadow."""
    product, pose, _ = _product(item)
    pixels = np.zeros((size, size, 4), np.uint8)
    canvas = _canvas(pixels, size / 100)
    canvas.drawPicture(product, pose.matrix())
    return Image.frombytes("RGBa", (size, size), pixels.tobytes()).convert("RGBA")


def _canvas(pixels: np.ndarray, scale: float) -> skia.Canvas:
    surface = skia.Surface(pixels, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType)
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    return canvas


def _product(item: Item) -> tuple[skia.Picture, Pose, random.Random]:
    rng = random.Random(item.seed)
    kind = KINDS[item.category]
    palette = Palette(tint(item.colour, rng), tint(item.accent, rng))
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(skia.Rect.MakeLTRB(-MARGIN, -MARGIN, 100 + MARGIN, 100 + MARGIN))
    easel = Easel.set_up(canvas, palette, pattern=item.pattern, material=item.material, rng=rng)
    kind.draw(easel, item.silhouette)
    picture = recorder.finishRecordingAsPicture()
    return picture, _pose(rng, stands=kind.stands), rng


def _pose(rng: random.Random, *, stands: bool) -> Pose:
    size = rng.uniform(0.74, 0.96)
    room = 50 * (1 - size)
    shift = (rng.uniform(-room, room), room * rng.uniform(0, 0.7) if stands else rng.uniform(-room, room))
    flip = rng.choice((-1, 1))
    return Pose(size, rng.gauss(0, 0.8 if stands else 3.5), flip * rng.uniform(0.94, 1.06), shift)


def _cast_shadow(canvas: skia.Canvas, item: Item, product: skia.Picture, pose: Pose, rng: random.Random) -> None:
    strength = rng.uniform(0.25, 0.45)
    dx, dy = rng.uniform(-3, 3), rng.uniform(1.5, 3.5)
    black = skia.ColorFilters.Blend(skia.Color4f(0, 0, 0.04, strength), skia.ColorSpace.MakeSRGB(), skia.BlendMode.kSrcIn)
    blur = skia.ImageFilters.Blur(1.8, 1.8)
    layer = skia.Paint(ImageFilter=blur, ColorFilter=black)
    matrix = pose.matrix()
    matrix.postTranslate(dx, dy)
    canvas.drawPicture(product, matrix, layer)
    if KINDS[item.category].stands:
        foot = 50 + pose.shift[1] + 44 * pose.size
        dark = skia.Paint(AntiAlias=True, Color4f=skia.Color4f(0, 0, 0.03, strength))
        dark.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 2.2))
        half = 36 * pose.size
        x = 50 + pose.shift[0]
        canvas.drawOval(skia.Rect.MakeLTRB(x - half, foot - 3, x + half, foot + 3), dark)
