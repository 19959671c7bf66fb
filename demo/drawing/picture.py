"""Draws an item as an image: the product posed, its shadow under it, its background behind it."""

import math
import random
from dataclasses import dataclass

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image

from demo.drawing.backgrounds import draw_background
from demo.drawing.item import KINDS, Item
from demo.drawing.painter import Painter
from demo.drawing.palette import Palette, tint

__all__ = ["draw", "draw_cutout"]

SMOOTH = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
MARGIN = 8.0
"""Units around the 100 x 100 of a drawing, so that no pose leaves the canvas."""


@dataclass(frozen=True)
class Pose:
    """How a drawing is laid on the picture: its middle, scale, turn in degrees, and where its
    middle goes, in units."""

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
    """A drawn product that waits to be laid on a picture.

    `ground` is where its foot stands, None if it hangs.
    """

    drawing: skia.Picture
    pose: Pose
    ground: skia.Rect | None
    rng: random.Random


def draw(item: Item, size: int = 320) -> Image.Image:
    """Returns the item as a square RGB image of `size` pixels.

    The same item gives the same pixels.
    """
    sketch = _sketch(item)
    product = skia.Image.fromarray(
        _raster(sketch, size), skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType
    )
    pixels = np.empty((size, size, 4), np.uint8)
    canvas = _canvas(pixels, size / 100)
    draw_background(canvas, item.background, sketch.rng, size=(100, 100))
    _cast_shadow(canvas, sketch, product)
    canvas.drawImageRect(product, skia.Rect.MakeWH(100, 100), skia.SamplingOptions())
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]))


def draw_cutout(item: Item, size: int) -> Image.Image:
    """Returns the item alone as a square RGBA image of `size` pixels, transparent around it,
    without a shadow."""
    return Image.frombytes("RGBa", (size, size), _raster(_sketch(item), size).tobytes()).convert(
        "RGBA"
    )


def _raster(sketch: Sketch, size: int) -> NDArray[np.uint8]:
    """Returns the posed product on a transparent square, size x size x RGBA, the colors
    multiplied by alpha."""
    pixels = np.zeros((size, size, 4), np.uint8)
    _canvas(pixels, size / 100).drawPicture(sketch.drawing, sketch.pose.matrix())
    return pixels


def _canvas(pixels: NDArray[np.uint8], scale: float) -> skia.Canvas:
    surface = skia.Surface(
        pixels, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType
    )
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    return canvas


def _sketch(item: Item) -> Sketch:
    rng = random.Random(item.seed)
    kind = KINDS[item.category]
    palette = Palette(tint(item.color, rng), tint(item.accent, rng))
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(
        skia.Rect.MakeLTRB(-MARGIN, -MARGIN, 100 + MARGIN, 100 + MARGIN)
    )
    painter = Painter.set_up(canvas, palette, pattern=item.pattern, material=item.material, rng=rng)
    kind.draw(painter, item.silhouette)
    stands = kind.stands and item.silhouette not in kind.hung
    pose = _pose(painter.extent, rng, stands=stands)
    ground = _ground(painter.extent, pose) if stands else None
    return Sketch(recorder.finishRecordingAsPicture(), pose, ground, rng)


def _pose(extent: skia.Rect, rng: random.Random, *, stands: bool) -> Pose:
    """Returns a pose in which the whole product is on the picture, a standing one in its lower
    part."""
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
    return Pose(
        (extent.centerX(), extent.centerY()),
        (flip * stretch * size, size),
        turn,
        (50 + dx, 50 + dy),
    )


def _ground(extent: skia.Rect, pose: Pose) -> skia.Rect:
    half = extent.width() * abs(pose.scale[0]) * 0.46
    foot = pose.place[1] + extent.height() / 2 * pose.scale[1]
    return skia.Rect.MakeLTRB(pose.place[0] - half, foot - 3.4, pose.place[0] + half, foot + 1.8)


def _cast_shadow(canvas: skia.Canvas, sketch: Sketch, product: skia.Image) -> None:
    rng = sketch.rng
    strength = rng.uniform(0.25, 0.45)
    dx, dy = rng.uniform(-3, 3), rng.uniform(1.5, 3.5)
    if sketch.ground is not None:
        dark = skia.Paint(AntiAlias=True, Color4f=skia.Color4f(0, 0, 0.03, strength + 0.15))
        dark.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 1.8))
        canvas.drawOval(sketch.ground, dark)
        strength, dy = strength * 0.6, dy * 0.3
    shadow = _soft_silhouette(product, strength)
    canvas.drawImageRect(shadow, skia.Rect.MakeXYWH(dx, dy, 100, 100), SMOOTH)


def _soft_silhouette(product: skia.Image, strength: float) -> skia.Image:
    """Returns the product's blurred shape in black, at a quarter of its size: nothing finer is
    left after the blur."""
    size = max(1, product.width() // 4)
    pixels = np.zeros((size, size, 4), np.uint8)
    black = skia.ColorFilters.Blend(
        skia.Color4f(0, 0, 0.04, strength), skia.ColorSpace.MakeSRGB(), skia.BlendMode.kSrcIn
    )
    paint = skia.Paint(ImageFilter=skia.ImageFilters.Blur(1.8, 1.8), ColorFilter=black)
    _canvas(pixels, size / 100).drawImageRect(product, skia.Rect.MakeWH(100, 100), SMOOTH, paint)
    return skia.Image.fromarray(
        pixels, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType
    )
