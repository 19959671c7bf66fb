"""Chairs, sofas and tables."""

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import RGB, darker
from demo.drawing.shapes import mirror, outline, oval, rect

__all__ = ["KINDS"]

LEGS: RGB = (0.50, 0.34, 0.20)
STEEL: RGB = (0.62, 0.64, 0.68)


def _leg(
    painter: Painter,
    top: tuple[float, float],
    foot: tuple[float, float],
    *,
    width: float = 3.6,
    color: RGB = LEGS,
    material: str = "wood",
) -> None:
    (x, y), (fx, fy) = top, foot
    points = [(x - width / 2, y), (x + width / 2, y), (fx + width / 3, fy), (fx - width / 3, fy)]
    painter.solid(outline(points, 0.6), color, material, volume=0.5)


def chair(painter: Painter, silhouette: str) -> None:
    if silhouette == "armchair":
        for x in (28, 72):
            _leg(painter, (x, 82), (x, 94))
        painter.part(rect(24, 16, 76, 72, 10))
        painter.part(rect(26, 56, 74, 76, 5))
        for left in (14, 72):
            painter.part(rect(left, 42, left + 14, 86, 6))
        painter.part(rect(26, 72, 74, 86, 3), volume=0.7)
        return
    if silhouette == "office":
        painter.line([(50, 62), (50, 80)], 4, (0.3, 0.3, 0.33))
        for x in (26, 38, 62, 74):
            painter.line([(50, 80), (x, 90)], 3, (0.2, 0.2, 0.22))
            painter.flat(oval(x, 92, 3, 3), (0.1, 0.1, 0.12))
        painter.line([(50, 40), (50, 64)], 6, (0.3, 0.3, 0.33))
        painter.part(outline(mirror([(50, 8, 12), (68, 10, 8), (71, 46, 8), (50, 50)]), 5))
        painter.part(outline(mirror([(50, 55), (74, 56, 6), (76, 64, 5), (50, 68)]), 4))
        for sign in (1, -1):
            painter.line(
                [
                    (50 + sign * 26, 60),
                    (50 + sign * 31, 50),
                    (50 + sign * 30, 43),
                    (50 + sign * 22, 42),
                ],
                3,
                (0.2, 0.2, 0.22),
            )
        return
    if silhouette == "stool":
        for x, foot in ((38, 30), (62, 70), (45, 42), (55, 58)):
            _leg(
                painter,
                (x, 32),
                (foot, 94),
                width=4.2,
                color=painter.palette.base,
                material=painter.material,
            )
        painter.line([(34, 70), (66, 70)], 2.4, darker(painter.palette.base, 0.2))
        painter.part(oval(50, 30, 27, 9))
        return
    for x, foot in ((33, 31), (67, 69)):
        _leg(painter, (x, 50), (foot, 86), color=darker(LEGS, 0.25))
    painter.part(outline(mirror([(50, 8, 14), (68, 9, 8), (70, 54), (50, 54)]), 5))
    if silhouette == "dining":
        for slat in (39.0, 46.5, 54.0):
            painter.shade(rect(slat, 20, slat + 3.6, 46, 1.5), 0.55, 0.5)
    seat = outline([(31, 54), (69, 54), (79, 64, 4), (78, 69, 2), (22, 69, 2), (21, 64, 4)], 3)
    painter.part(seat)
    for x, foot in ((25, 22), (75, 78)):
        _leg(painter, (x, 68), (foot, 95), width=4.4)


def sofa(painter: Painter, silhouette: str) -> None:
    seats = {"loveseat": 2, "chesterfield": 2}.get(silhouette, 3)
    half = 34 if silhouette == "loveseat" else 40
    for x in (50 - half + 2, 50 + half - 2):
        _leg(painter, (x, 76), (x, 85), width=3.2)
    top = 36 if silhouette == "chesterfield" else 30
    painter.part(rect(50 - half, top, 50 + half, 72, 7))
    step = (2 * half - 8) / seats
    for i in range(seats):
        left = 50 - half + 4 + i * step
        painter.part(rect(left, top + 4, left + step, 60, 4), volume=0.9)
        painter.part(rect(left, 54, left + step, 66, 3.4), volume=0.9)
        if silhouette == "chesterfield":
            for dx in (0.2, 0.5, 0.8):
                for y in (top + 9, top + 16):
                    painter.shade(oval(left + dx * step, y, 1.3, 1.3), 0.5, 0.6)
    painter.part(rect(50 - half + 2, 64, 50 + half - 2, 78, 2.4), volume=0.8)
    arm = 8 if silhouette != "modern" else 5
    arm_top = top if silhouette == "chesterfield" else 46
    for left in (50 - half - 5, 50 + half + 5 - arm - 3):
        painter.part(rect(left, arm_top, left + arm + 3, 79, 5))
    if painter.rng.random() < 0.5:
        painter.solid(
            outline(
                [
                    (50 - half + 9, 46),
                    (50 - half + 22, 43),
                    (50 - half + 25, 56),
                    (50 - half + 12, 59),
                ],
                2.5,
            ),
            painter.palette.accent,
            "cotton",
            volume=0.7,
        )


def table(painter: Painter, silhouette: str) -> None:
    base = painter.palette.base
    legs = STEEL if painter.material == "metal" else darker(base, 0.16)
    if silhouette == "round":
        painter.solid(
            outline(mirror([(50, 40), (53.4, 40), (53, 76, 6), (68, 90, 3), (50, 87)]), 2),
            legs,
            volume=0.8,
        )
        painter.part(oval(50, 42, 42, 12.5), volume=0.6)
        painter.solid(
            outline([(8, 42), (50, 57, 50), (92, 42), (91, 46), (50, 60, 50), (9, 46)], 2),
            darker(base, 0.12),
            volume=0.4,
        )
        return
    low = silhouette == "coffee"
    top, floor = (52, 84) if low else (32, 94)
    for x, foot in ((24, 26), (76, 74)):
        _leg(
            painter,
            (x, top),
            (foot, floor - 10),
            color=darker(legs, 0.25),
            width=3.4,
            material=painter.material,
        )
    painter.part(
        outline([(20, top - 8), (80, top - 8), (95, top + 6), (5, top + 6)], 1.5), volume=0.6
    )
    painter.part(rect(5, top + 5.4, 95, top + 11, 1), volume=0.6)
    if silhouette == "desk":
        painter.part(rect(58, top + 11, 91, top + 32, 1), volume=0.7)
        for y in (top + 16.5, top + 26.5):
            painter.line([(70, y), (79, y)], 1.6, STEEL)
        painter.line([(59, top + 21.5), (90, top + 21.5)], 0.8)
    for x in (10, 90):
        _leg(painter, (x, top + 10), (x, floor), color=legs, width=6, material=painter.material)
    if low:
        painter.part(rect(12, floor - 9, 88, floor - 5.5, 1), volume=0.5)


KINDS = {
    "chair": Kind(
        chair,
        ("dining", "armchair", "office", "stool", "shell"),
        ("wood", "velvet", "leather", "plastic", "linen"),
        stands=True,
    ),
    "sofa": Kind(
        sofa,
        ("three-seater", "loveseat", "chesterfield", "modern"),
        ("linen", "velvet", "leather", "wool"),
        stands=True,
    ),
    "table": Kind(
        table, ("dining", "round", "coffee", "desk"), ("wood", "metal", "plastic"), stands=True
    ),
}
