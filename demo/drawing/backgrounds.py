"""What stands behind a product: studio paper, walls, floors, a room, grass."""

import random

import skia

from demo.drawing.finishes import texture_shader
from demo.drawing.palette import COLORS, RGB, darker, lighter, mix, tint
from demo.drawing.patterns import paint

__all__ = ["BACKGROUNDS", "draw_background"]

HORIZON = 74.0
"""Where a floor meets its wall, in units from the top of the square that the product stands in."""


def draw_background(
    canvas: skia.Canvas, name: str, rng: random.Random, *, size: tuple[float, float]
) -> None:
    """Fills (0, 0)-size, in units, with the background. KeyError for a word not in BACKGROUNDS."""
    _BACKGROUNDS[name](canvas, rng, size[0], size[1])


def _fill(
    canvas: skia.Canvas, box: tuple[float, float, float, float], top: RGB, bottom: RGB
) -> None:
    ends = [skia.Point(box[0], box[1]), skia.Point(box[0], box[3])]
    colors = [skia.Color4f(*top, 1.0).toColor(), skia.Color4f(*bottom, 1.0).toColor()]
    shader = skia.GradientShader.MakeLinear(ends, colors)
    canvas.drawRect(skia.Rect.MakeLTRB(*box), skia.Paint(Shader=shader))


def _grain(
    canvas: skia.Canvas, box: tuple[float, float, float, float], texture: str, strength: float
) -> None:
    canvas.drawRect(
        skia.Rect.MakeLTRB(*box), skia.Paint(Shader=texture_shader(texture), Alphaf=strength)
    )


def _spot(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    center = skia.Point(width * rng.uniform(0.25, 0.75), height * rng.uniform(0.15, 0.6))
    colors = [skia.Color4f(1, 1, 1, 0.35).toColor(), skia.Color4f(0, 0, 0.05, 0.10).toColor()]
    shader = skia.GradientShader.MakeRadial(center, max(width, height) * 0.8, colors)
    canvas.drawRect(skia.Rect.MakeWH(width, height), skia.Paint(Shader=shader))


def _pastel(rng: random.Random) -> RGB:
    color = tint(rng.choice(COLORS), rng)
    gray = (0.80, 0.79, 0.77)
    return lighter(mix(color, gray, 0.45), rng.uniform(0.25, 0.5))


def _studio(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    level = rng.uniform(0.93, 1.0)
    _fill(canvas, (0, 0, width, height), (level, level, level), (level * 0.97,) * 3)


def _gradient(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    top, bottom = rng.uniform(0.82, 0.92), rng.uniform(0.62, 0.78)
    _fill(canvas, (0, 0, width, height), (top, top, top * 1.01), (bottom, bottom, bottom * 1.02))
    _spot(canvas, rng, width, height)


def _wall(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    color = _pastel(rng)
    _fill(canvas, (0, 0, width, height), color, darker(color, 0.08))
    _spot(canvas, rng, width, height)


def _planks(
    canvas: skia.Canvas, rng: random.Random, box: tuple[float, float, float, float]
) -> None:
    wood = mix((0.76, 0.60, 0.43), (0.45, 0.32, 0.22), rng.uniform(0, 0.8))
    wood = lighter(wood, rng.uniform(0, 0.3))
    _fill(canvas, box, lighter(wood, 0.08), darker(wood, 0.08))
    _grain(canvas, box, "wood", 0.55)
    y = box[1]
    step = rng.uniform(11, 16)
    while y < box[3]:
        canvas.drawRect(
            skia.Rect.MakeLTRB(box[0], y, box[2], y + 0.5), paint(darker(wood, 0.5), 0.6)
        )
        x = box[0] + rng.uniform(0, 60)
        canvas.drawRect(skia.Rect.MakeXYWH(x, y, 0.4, step), paint(darker(wood, 0.5), 0.5))
        y += step


def _floor(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    _planks(canvas, rng, (0, 0, width, height))
    _spot(canvas, rng, width, height)


def _room(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    wall = _pastel(rng)
    edge = height * HORIZON / 100
    _fill(canvas, (0, 0, width, edge), lighter(wall, 0.1), wall)
    _planks(canvas, rng, (0, edge, width, height))
    canvas.drawRect(skia.Rect.MakeLTRB(0, edge - 3.2, width, edge), paint(lighter(wall, 0.6)))
    if rng.random() < 0.6:
        left = rng.choice((0.04, 0.70)) * width
        canvas.drawRect(skia.Rect.MakeXYWH(left, 6, 22, 30), paint((0.97, 0.97, 0.96)))
        view = rng.choice(((0.72, 0.84, 0.93), (0.85, 0.80, 0.70)))
        canvas.drawRect(skia.Rect.MakeXYWH(left + 2, 8, 18, 26), paint(view))
        canvas.drawRect(skia.Rect.MakeXYWH(left + 10.5, 8, 1, 26), paint((0.97, 0.97, 0.96)))
    _spot(canvas, rng, width, height)


def _marble(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    level = rng.uniform(0.88, 0.95)
    _fill(canvas, (0, 0, width, height), (level, level, level), (level * 0.96,) * 3)
    for _ in range(7):
        x, y = rng.uniform(-10, width), rng.uniform(-10, height)
        path = skia.Path()
        path.moveTo(x, y)
        path.cubicTo(
            x + 12,
            y + rng.uniform(0, 18),
            x + 26,
            y - 6,
            x + rng.uniform(36, 60),
            y + rng.uniform(8, 36),
        )
        pen = paint((0.45, 0.46, 0.5), 0.28)
        pen.setStyle(skia.Paint.kStroke_Style)
        pen.setStrokeWidth(rng.uniform(0.4, 1.6))
        pen.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.6))
        canvas.drawPath(path, pen)


def _blanket(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    color = _pastel(rng)
    _fill(canvas, (0, 0, width, height), color, darker(color, 0.06))
    _grain(canvas, (0, 0, width, height), rng.choice(("linen", "knit", "felt")), 0.28)


def _outdoors(canvas: skia.Canvas, rng: random.Random, width: float, height: float) -> None:
    edge = height * (HORIZON - 6) / 100
    _fill(canvas, (0, 0, width, edge), (0.60, 0.78, 0.93), (0.87, 0.93, 0.97))
    for _ in range(5):
        x, r = rng.uniform(0, width), rng.uniform(8, 18)
        tree = paint(mix((0.42, 0.58, 0.38), (0.70, 0.80, 0.74), rng.uniform(0.3, 0.8)))
        canvas.drawOval(skia.Rect.MakeLTRB(x - r, edge - r * 0.9, x + r, edge + r), tree)
    _fill(canvas, (0, edge, width, height), (0.56, 0.68, 0.42), (0.44, 0.58, 0.32))
    _grain(canvas, (0, edge, width, height), "fur", 0.6)


_BACKGROUNDS = {
    "white studio": _studio,
    "gray gradient": _gradient,
    "colored wall": _wall,
    "wooden floor": _floor,
    "room": _room,
    "marble": _marble,
    "blanket": _blanket,
    "outdoors": _outdoors,
}

BACKGROUNDS: tuple[str, ...] = tuple(_BACKGROUNDS)
