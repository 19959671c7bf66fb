"""The painter: draws the parts of one product in its colors, pattern and material, lit from one
side."""

import random
from dataclasses import dataclass, field, replace

import skia

from demo.drawing.finishes import FINISHES, Finish, texture_shader
from demo.drawing.palette import RGB, Palette, darker, lighter, luminance, mix, shadow_of
from demo.drawing.patterns import paint, pattern_shader
from demo.drawing.shapes import Points, curve

__all__ = ["Painter"]

WHITE: RGB = (1.0, 1.0, 1.0)
BLACK: RGB = (0.0, 0.0, 0.03)


@dataclass(frozen=True)
class Painter:
    """Draws parts on a canvas of 100 x 100 units; `rng` draws only the small variations."""

    canvas: skia.Canvas
    palette: Palette
    pattern: str
    material: str
    rng: random.Random
    light: float
    shader: skia.Shader | None
    extent: skia.Rect = field(default_factory=skia.Rect.MakeEmpty)
    """What the parts drawn so far cover, in units; it grows with every part."""

    @classmethod
    def set_up(
        cls,
        canvas: skia.Canvas,
        palette: Palette,
        *,
        pattern: str,
        material: str,
        rng: random.Random,
    ) -> "Painter":
        """Returns a painter with its pattern chosen and its light at the left (-1) or right
        (+1)."""
        shader = pattern_shader(pattern, palette, rng)
        return cls(canvas, palette, pattern, material, rng, rng.choice((-1.0, 1.0)), shader)

    def printed(self, scale: float) -> "Painter":
        """Returns the painter with its pattern printed at another size (1 is about 10 units a
        repeat)."""
        return replace(
            self, shader=pattern_shader(self.pattern, self.palette, self.rng, scale=scale)
        )

    def vary(self, value: float, share: float = 0.06) -> float:
        """Returns the value, larger or smaller by up to the share."""
        return value * (1 + self.rng.uniform(-share, share))

    @property
    def finish(self) -> Finish:
        """How the product's own material looks."""
        return FINISHES[self.material]

    @property
    def trim(self) -> RGB:
        """The color of trims: the accent on a patterned product, else a shade of the base."""
        if self.pattern != "plain":
            return self.palette.accent
        base = self.palette.base
        return mix(base, shadow_of(base), 0.42) if luminance(base) > 0.25 else lighter(base, 0.16)

    def part(self, path: skia.Path, *, volume: float = 1.0) -> None:
        """Draws a part in the product's color, pattern and material."""
        self._model(path, self.palette.base, self.finish, volume, printed=True)

    def solid(
        self, path: skia.Path, color: RGB | None = None, material: str = "", *, volume: float = 1.0
    ) -> None:
        """Draws a part of one color (the trim's unless given), of the product's or another
        material."""
        self._model(path, color or self.trim, FINISHES[material or self.material], volume)

    def flat(self, path: skia.Path, color: RGB, alpha: float = 1.0) -> None:
        """Fills a shape without shading."""
        self.extent.join(path.getBounds())
        self.canvas.drawPath(path, paint(color, alpha))

    def hollow(self, path: skia.Path) -> None:
        """Draws the dark inside that an opening shows."""
        base = self.palette.base
        deep = mix(base, shadow_of(base), 0.85) if luminance(base) > 0.2 else darker(base, 0.7)
        self._model(path, deep, FINISHES["suede"], 0.7)

    def line(
        self, points: Points, width: float, color: RGB | None = None, *, alpha: float = 1.0
    ) -> None:
        """Strokes a smooth line with round ends, in the ink color unless another is given."""
        self.stroke(curve(points), width, color, alpha=alpha)

    def stroke(
        self, path: skia.Path, width: float, color: RGB | None = None, *, alpha: float = 1.0
    ) -> None:
        """Strokes a path with round ends."""
        self.extent.join(path.getBounds().makeOutset(width / 2, width / 2))
        self.canvas.drawPath(path, _pen(color or self.palette.ink, width, alpha))

    def seam(self, points: Points, *, alpha: float = 0.6) -> None:
        """Draws a seam: a line, and a row of stitches where the material shows them."""
        path = curve(points)
        self.stroke(path, 0.55, alpha=alpha)
        if self.finish.stitched:
            thread = (0.86, 0.62, 0.25) if self.material == "denim" else self.palette.ink
            self.stitches(path, thread)

    def stitches(self, path: skia.Path, thread: RGB) -> None:
        """Draws a dashed row of stitches."""
        pen = _pen(thread, 0.6, 0.9)
        pen.setPathEffect(skia.DashPathEffect.Make([1.6, 1.1], 0))
        self.canvas.drawPath(path, pen)

    def fold(self, points: Points, width: float = 2.2) -> None:
        """Draws a soft crease: dark, with a light ridge beside it."""
        self._soft(curve(points), width, shadow_of(self.palette.base), 0.30)
        self._soft(curve([(p[0] + self.light * width, p[1]) for p in points]), width, WHITE, 0.16)

    def glint(self, path: skia.Path, alpha: float = 0.6, blur: float = 0.6) -> None:
        """Draws a highlight."""
        shine = paint(WHITE, alpha)
        shine.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
        self.canvas.drawPath(path, shine)

    def shade(self, path: skia.Path, alpha: float = 0.3, blur: float = 1.5) -> None:
        """Draws a soft shadow that one part throws on another."""
        dark = paint(BLACK, alpha)
        dark.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
        self.canvas.drawPath(path, dark)

    def _model(
        self, path: skia.Path, color: RGB, finish: Finish, volume: float, *, printed: bool = False
    ) -> None:
        """Fills a part, then lays over it grain, light, creases and the darkness along its edge."""
        bounds = path.getBounds()
        self.extent.join(bounds)
        filling = paint(color, finish.opacity)
        if printed and self.shader is not None:
            filling.setShader(self.shader)
        if finish.fuzz:
            filling.setPathEffect(
                skia.DiscretePathEffect.Make(1.1, finish.fuzz, self.rng.randrange(1 << 16))
            )
        self.canvas.drawPath(path, filling)
        texture = texture_shader(finish.texture)
        if texture is not None:
            # White grain on black, and black on white, would turn both to gray.
            visible = 0.45 + 2.2 * min(0.25, luminance(color) * 0.8, 1.02 - luminance(color))
            self.canvas.drawPath(
                path, skia.Paint(AntiAlias=True, Shader=texture, Alphaf=finish.grain * visible)
            )
        dark = shadow_of(color)
        self.canvas.save()
        self.canvas.clipPath(path, True)
        self._light(bounds, finish, volume, dark)
        for _ in range(finish.folds if volume >= 0.9 and bounds.width() > 14 else 0):
            self._crease(bounds)
        rim = min(4.6, 0.22 * min(bounds.width(), bounds.height())) * volume
        pen = _pen(dark, rim, 0.34)
        pen.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.4 + rim * 0.32))
        self.canvas.drawPath(path, pen)
        self.canvas.restore()
        self.canvas.drawPath(path, _pen(self.palette.ink, 0.5, 0.6))

    def _light(self, bounds: skia.Rect, finish: Finish, volume: float, dark: RGB) -> None:
        near, far = bounds.left(), bounds.right()
        if self.light > 0:
            near, far = far, near
        stops, places = _GLOSS[finish.gloss]
        shine = min(1.0, volume) * (0.5 + min(0.5, 2 * luminance(dark)))
        colors = [
            skia.Color4f(*(WHITE if a > 0 else dark), abs(a) * shine).toColor() for a in stops
        ]
        ends = [
            skia.Point(near, bounds.top()),
            skia.Point(far, bounds.top() + bounds.height() * 0.35),
        ]
        shader = skia.GradientShader.MakeLinear(ends, colors, places)
        self.canvas.drawRect(bounds, skia.Paint(Shader=shader))

    def _crease(self, bounds: skia.Rect) -> None:
        rng = self.rng
        x = bounds.left() + bounds.width() * rng.uniform(0.15, 0.85)
        y = bounds.top() + bounds.height() * rng.uniform(0.15, 0.7)
        lean, length = (
            rng.uniform(-0.25, 0.25) * bounds.width(),
            bounds.height() * rng.uniform(0.2, 0.45),
        )
        points = [(x, y), (x + lean * 0.2, y + length * 0.5), (x + lean, y + length)]
        self.fold(points, rng.uniform(1.2, 2.6))

    def _soft(self, path: skia.Path, width: float, color: RGB, alpha: float) -> None:
        pen = _pen(color, width, alpha)
        pen.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, width * 0.6))
        self.canvas.drawPath(path, pen)


# Light (+) and dark (-) along the light's way over a part, and where each stands (0..1).
_GLOSS: dict[str, tuple[list[float], list[float]]] = {
    "none": ([0.14, 0.04, 0.0, -0.26], [0.0, 0.35, 0.6, 1.0]),
    "soft": ([0.05, 0.28, 0.02, -0.12, -0.38], [0.0, 0.22, 0.45, 0.7, 1.0]),
    "satin": (
        [-0.10, 0.32, -0.08, 0.24, -0.16, 0.10, -0.34],
        [0.0, 0.18, 0.36, 0.52, 0.7, 0.84, 1.0],
    ),
    "sharp": ([0.02, 0.10, 0.50, 0.06, -0.04, -0.36], [0.0, 0.12, 0.18, 0.28, 0.6, 1.0]),
    "metal": (
        [-0.22, 0.55, 0.05, -0.22, 0.30, -0.06, -0.38],
        [0.0, 0.16, 0.34, 0.52, 0.7, 0.82, 1.0],
    ),
}


def _pen(color: RGB, width: float, alpha: float) -> skia.Paint:
    pen = paint(color, alpha)
    pen.setStyle(skia.Paint.kStroke_Style)
    pen.setStrokeWidth(width)
    pen.setStrokeCap(skia.Paint.kRound_Cap)
    pen.setStrokeJoin(skia.Paint.kRound_Join)
    return pen
