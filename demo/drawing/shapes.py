"""Outlines on a canvas of 100 x 100 units: x to the right, y down, the center line at x = 50."""

from collections.abc import Sequence

import skia

__all__ = ["Points", "band", "circle", "curve", "mirror", "outline", "oval", "rect", "shift"]

Points = Sequence[tuple[float, ...]]
"""Corners (x, y), or (x, y, r) where r is the corner's own rounding in units."""


def outline(points: Points, rounding: float = 2.0) -> skia.Path:
    """Returns the closed outline through the points, each corner rounded; 99 makes it all curve."""
    return _trace(points, rounding, closed=True)


def curve(points: Points, rounding: float = 99.0) -> skia.Path:
    """Returns the open line through the points, each inner corner rounded."""
    return _trace(points, rounding, closed=False)


def band(points: Points, width: float, rounding: float = 99.0) -> skia.Path:
    """Returns the outline of a strap: the smooth line through the points, `width` units wide."""
    pen = skia.Paint(
        Style=skia.Paint.kStroke_Style, StrokeWidth=width, StrokeJoin=skia.Paint.kRound_Join
    )
    path = skia.Path()
    pen.getFillPath(curve(points, rounding), path, None, 4.0)
    return skia.Simplify(path)


def mirror(right: Points) -> Points:
    """Returns the whole of a symmetric outline whose right half is given from top to bottom."""
    left = [(100 - p[0], *p[1:]) for p in reversed(right) if p[0] != 50]
    return [*right, *left]


def shift(points: Points, dx: float, dy: float = 0.0) -> Points:
    """Returns the points moved by (dx, dy) units."""
    return [(p[0] + dx, p[1] + dy, *p[2:]) for p in points]


def oval(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """Returns the ellipse about (x, y) with the radii rx and ry."""
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def circle(x: float, y: float, radius: float) -> skia.Path:
    """Returns the circle about (x, y)."""
    return oval(x, y, radius, radius)


def rect(left: float, top: float, right: float, bottom: float, rounding: float = 0.0) -> skia.Path:
    """Returns the rectangle, its corners rounded by `rounding` units."""
    path = skia.Path()
    path.addRoundRect(skia.Rect.MakeLTRB(left, top, right, bottom), rounding, rounding)
    return path


def _trace(points: Points, rounding: float, *, closed: bool) -> skia.Path:
    path = skia.Path()
    count = len(points)
    if not closed:
        path.moveTo(points[0][0], points[0][1])
    for i in range(count) if closed else range(1, count - 1):
        x, y = points[i][:2]
        radius = points[i][2] if len(points[i]) > 2 else rounding
        entry = _towards(points[i], points[i - 1], radius)
        leave = _towards(points[i], points[(i + 1) % count], radius)
        if closed and i == 0:
            path.moveTo(*entry)
        else:
            path.lineTo(*entry)
        path.quadTo(x, y, *leave)
    if closed:
        path.close()
    else:
        path.lineTo(points[-1][0], points[-1][1])
    return path


def _towards(
    corner: tuple[float, ...], other: tuple[float, ...], distance: float
) -> tuple[float, float]:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5
    share = min(0.5, distance / length) if length else 0.0
    return corner[0] + dx * share, corner[1] + dy * share
