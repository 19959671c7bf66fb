"""Printed patterns: a tile of base and accent color that repeats over a product."""

import random

import skia

from demo.drawing.palette import RGB, Palette, mix
from demo.drawing.shapes import circle, outline, oval

__all__ = ["PATTERNS", "paint", "pattern_shader"]

PATTERNS: tuple[str, ...] = ("plain", "striped", "dotted", "checked", "floral", "zigzag")


def paint(color: RGB, alpha: float = 1.0) -> skia.Paint:
    """Returns an antialiased filling paint of the color."""
    return skia.Paint(Color4f=skia.Color4f(*color, alpha), AntiAlias=True)


def pattern_shader(
    pattern: str, palette: Palette, rng: random.Random, *, scale: float = 1.0
) -> skia.Shader | None:
    """Returns the shader that fills with the pattern, in units; None for plain.

    The accent covers less than half of a tile, so the base stays the product's color.
    KeyError for a word that is not in PATTERNS.
    """
    if pattern == "plain":
        return None
    width, height = _TILES[pattern][0]
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(skia.Rect.MakeWH(width, height))
    canvas.drawColor(skia.Color4f(*palette.base, 1.0))
    _TILES[pattern][1](canvas, palette, rng)
    matrix = skia.Matrix()
    size = scale * rng.uniform(0.85, 1.25)
    matrix.setScale(size, size)
    matrix.postRotate(_turn(pattern, rng))
    matrix.postTranslate(50 + rng.uniform(-5, 5), 50 + rng.uniform(-5, 5))
    picture = recorder.finishRecordingAsPicture()
    tile = skia.Rect.MakeWH(width, height)
    return picture.makeShader(
        skia.TileMode.kRepeat, skia.TileMode.kRepeat, skia.FilterMode.kLinear, matrix, tile
    )


def _turn(pattern: str, rng: random.Random) -> float:
    if pattern == "striped":
        return rng.choice((0.0, 0.0, 90.0, 90.0, 35.0, -35.0)) + rng.uniform(-2, 2)
    if pattern == "checked":
        return rng.choice((0.0, 0.0, 0.0, 45.0)) + rng.uniform(-2, 2)
    if pattern == "floral":
        return rng.uniform(0, 360)
    return rng.uniform(-3, 3)


def _striped(canvas: skia.Canvas, palette: Palette, rng: random.Random) -> None:
    width = rng.uniform(3.0, 3.9)
    canvas.drawRect(skia.Rect.MakeXYWH(0, 0.5, 10, width), paint(palette.accent))
    if rng.random() < 0.25:
        canvas.drawRect(skia.Rect.MakeXYWH(0, 6.6, 10, 0.7), paint(palette.accent))


def _dotted(canvas: skia.Canvas, palette: Palette, rng: random.Random) -> None:
    radius = rng.uniform(1.9, 2.5)
    for x, y in ((2.75, 2.75), (8.25, 8.25)):
        canvas.drawPath(circle(x, y, radius), paint(palette.accent))


def _checked(canvas: skia.Canvas, palette: Palette, rng: random.Random) -> None:
    if rng.random() < 0.5:
        half = mix(palette.base, palette.accent, 0.4)
        canvas.drawRect(skia.Rect.MakeXYWH(0, 0, 3.8, 10), paint(half))
        canvas.drawRect(skia.Rect.MakeXYWH(0, 0, 10, 3.8), paint(half))
        canvas.drawRect(skia.Rect.MakeXYWH(0, 0, 3.8, 3.8), paint(palette.accent))
        return
    for start, width, alpha in ((0.6, 2.3, 0.6), (6.4, 0.8, 0.9)):
        canvas.drawRect(skia.Rect.MakeXYWH(start, 0, width, 10), paint(palette.accent, alpha))
        canvas.drawRect(skia.Rect.MakeXYWH(0, start, 10, width), paint(palette.accent, alpha))


def _floral(canvas: skia.Canvas, palette: Palette, rng: random.Random) -> None:
    leaf = mix(palette.accent, (0.2, 0.42, 0.2), 0.55)
    petals = rng.choice((5, 5, 6))
    for x, y, size in ((4.6, 4.6, 0.86), (12.0, 11.8, 0.86), (11.8, 4.2, 0.5), (4.4, 12.2, 0.5)):
        canvas.save()
        canvas.translate(x, y)
        canvas.rotate(rng.uniform(0, 360))
        canvas.scale(size, size)
        canvas.drawPath(outline([(1, 1), (5.4, 1.6), (5.2, 4.6)], 9), paint(leaf))
        for _ in range(petals):
            canvas.drawPath(oval(0, -2.3, 1.35, 1.95), paint(palette.accent))
            canvas.rotate(360 / petals)
        heart = mix(palette.accent, (0.98, 0.8, 0.2), 0.8)
        canvas.drawPath(circle(0, 0, 1.25), paint(heart))
        canvas.restore()


def _zigzag(canvas: skia.Canvas, palette: Palette, rng: random.Random) -> None:
    stroke = paint(palette.accent)
    stroke.setStyle(skia.Paint.kStroke_Style)
    stroke.setStrokeWidth(rng.uniform(1.9, 2.4))
    for y in (-9, 0, 9):
        path = skia.Path()
        path.moveTo(-5, y + 1.5)
        for x, dy in ((0, 6.5), (5, 1.5), (10, 6.5), (15, 1.5)):
            path.lineTo(x, y + dy)
        canvas.drawPath(path, stroke)


_TILES = {
    "striped": ((10, 10), _striped),
    "dotted": ((11, 11), _dotted),
    "checked": ((10, 10), _checked),
    "floral": ((15.2, 15.2), _floral),
    "zigzag": ((10, 9), _zigzag),
}
