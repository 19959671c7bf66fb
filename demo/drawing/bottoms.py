"""Dresses, skirts, and clothes for the legs."""

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.shapes import circle, curve, mirror, outline, rect

__all__ = ["KINDS"]

BRASS = (0.80, 0.66, 0.34)


def dress(painter: Painter, silhouette: str) -> None:
    hem_y = {"maxi": 96, "mini": 74, "sheath": 82}.get(silhouette, 86)
    flare = {"a-line": 27, "maxi": 24, "sheath": 14, "mini": 21, "wrap": 22, "sleeveless": 25}[
        silhouette
    ]
    depth = {"wrap": 34, "sleeveless": 22, "maxi": 18}.get(silhouette, 19)
    strap = silhouette in ("sleeveless", "maxi")
    shoulder = (58, 6) if strap else (65, 10)
    neck = (54.5, 5.5) if strap else (57, 8)
    painter.hollow(outline(mirror([(50, 8), (56, 8), (57, 14), (50, depth + 2)]), 2))
    if not strap:
        sleeve = [(63, 9), (68, 11, 6), (75, 27), (67, 30), (62, 25)]
        if silhouette in ("wrap", "sheath"):
            sleeve = [(63, 9), (68, 11, 6), (75, 30, 9), (78, 47), (71, 48), (67, 34, 9), (62, 25)]
        for points in (sleeve, [(100 - p[0], *p[1:]) for p in sleeve]):
            painter.part(outline(points, 2))
    waist = painter.vary(11.5, 0.06)
    right = [
        (50, depth, 8),
        neck,
        shoulder,
        (62, 25, 6),
        (50 + waist, 42, 7),
        (50 + flare * 0.8, hem_y - 18, 20),
    ]
    painter.part(outline(mirror([*right, (50 + flare, hem_y, 3), (50, hem_y + 2.5, 40)])))
    for x in (-0.62, -0.25, 0.2, 0.6):
        if silhouette != "sheath":
            sway = x * flare
            painter.fold([(50 + sway * 0.4, 46), (50 + sway * 0.75, 62), (50 + sway, hem_y)], 1.8)
    _waistline(painter, silhouette, waist)
    painter.stroke(curve([neck, (50, depth, 8), (100 - neck[0], neck[1])], 8), 1.5, painter.trim)


def _waistline(painter: Painter, silhouette: str, waist: float) -> None:
    if silhouette == "wrap":
        painter.line([(57, 9), (46, 40)], 1.0)
        painter.solid(
            outline(
                [(50 - waist, 39.5), (50 + waist, 39.5), (50 + waist, 44), (50 - waist, 44)], 1
            ),
            volume=0.4,
        )
        painter.solid(outline([(44, 42), (41, 58), (45, 58.5), (47, 43)], 1), volume=0.4)
        painter.solid(circle(45, 42, 2.6), volume=0.4)
    elif silhouette in ("a-line", "mini", "sleeveless"):
        painter.solid(
            outline(
                [(50 - waist, 40), (50 + waist, 40), (50 + waist, 43.6), (50 - waist, 43.6)], 1
            ),
            volume=0.4,
        )
    else:
        painter.seam([(50 - waist, 42), (50, 43), (50 + waist, 42)])


def skirt(painter: Painter, silhouette: str) -> None:
    hem_y = {"maxi": 94, "mini": 66, "pencil": 82}.get(silhouette, 78)
    flare = {"pencil": 15, "a-line": 32, "pleated": 33, "mini": 27, "maxi": 28}[silhouette]
    right = [(50, 16), (63, 16), (67, 30, 12), (50 + flare, hem_y, 3), (50, hem_y + 3, 60)]
    painter.part(outline(mirror(right), 1))
    if silhouette == "pleated":
        for i in range(-5, 6):
            painter.line([(50 + i * 2.3, 22), (50 + i * flare / 5.6, hem_y + 1)], 0.7, alpha=0.75)
            painter.fold([(50.6 + i * 2.3, 24), (50.8 + i * flare / 5.6, hem_y)], 1.3)
    elif silhouette != "pencil":
        for x in (-0.7, -0.35, 0.05, 0.4, 0.72):
            painter.fold(
                [(50 + x * 12, 28), (50 + x * flare * 0.8, 52), (50 + x * flare, hem_y)], 2.0
            )
    else:
        painter.line([(50, 64), (50, hem_y + 1)], 0.9)
    painter.solid(outline(mirror([(50, 15), (63, 14.5), (64, 20.5), (50, 21.5)]), 1), volume=0.5)
    if painter.material == "denim":
        _fly(painter, 21, 40)


def _fly(painter: Painter, top: float, bottom: float) -> None:
    painter.seam([(50, top), (50, bottom)])
    painter.seam([(53, top), (53, bottom - 6), (50, bottom - 1)])
    painter.flat(circle(50, top - 2.6, 1.3), BRASS)


def _trousers(painter: Painter, cut: str, hem: float) -> None:
    ankle_in, ankle_out = {
        "slim": (54, 64),
        "skinny": (55, 63),
        "wide": (53, 76),
        "flared": (53, 73),
        "joggers": (55, 64),
    }.get(cut, (53.5, 67))
    knee = {"wide": 71, "flared": 64.5, "skinny": 65}.get(cut, 67)
    for sign in (1, -1):
        right = [
            (50, 9),
            (65, 9, 2),
            (68, 28, 12),
            (knee, 56, 30),
            (ankle_out, hem),
            (ankle_in, hem + 1),
            (50.4, 36, 5),
        ]
        painter.part(outline([(50 + sign * (p[0] - 50), *p[1:]) for p in right], 1.5))
    painter.fold([(47, 38), (38, 42)], 1.6)
    painter.fold([(53, 38), (62, 42)], 1.6)
    if cut in ("tailored", "chino"):
        middle = (ankle_in + ankle_out) / 2
        painter.line([(58, 22), (middle, hem - 1)], 0.7, alpha=0.7)
        painter.line([(42, 22), (100 - middle, hem - 1)], 0.7, alpha=0.7)


def _waistband(painter: Painter, *, laced: bool) -> None:
    if laced:
        painter.solid(rect(34.6, 7.5, 65.4, 13.5, 2), volume=0.5)
        for x in range(37, 65, 3):
            painter.line([(x, 8.5), (x, 12.8)], 0.5, alpha=0.45)
        for x in (48, 52):
            painter.line([(x, 13), (x - 1, 18), (x + 0.6, 23)], 1.0, (0.93, 0.92, 0.9))
        return
    painter.part(outline(mirror([(50, 8), (65, 7.5), (65.6, 13), (50, 13.6)]), 0.8), volume=0.5)
    for x in (37, 43, 57, 63):
        painter.part(rect(x - 0.9, 6.8, x + 0.9, 14, 0.3), volume=0.3)
    _fly(painter, 13.6, 30)


def pants(painter: Painter, silhouette: str) -> None:
    _trousers(painter, silhouette, 93)
    if silhouette == "joggers":
        for left in (54.6, 35.4):
            painter.solid(rect(left - 0.6, 90, left + 10.6, 96, 1.5), volume=0.5)
    if silhouette == "cargo":
        for left in (60, 30):
            painter.part(rect(left, 47, left + 10, 61, 1), volume=0.5)
            painter.part(rect(left - 0.5, 46, left + 10.5, 50.5, 0.8), volume=0.4)
    _waistband(painter, laced=silhouette == "joggers")
    for sign in (1, -1):
        painter.seam([(50 + sign * 9, 13.6), (50 + sign * 16.5, 24)])


def jeans(painter: Painter, silhouette: str) -> None:
    _trousers(painter, silhouette, 93)
    for sign in (1, -1):
        painter.seam([(50 + sign * 6.5, 13.6), (50 + sign * 8, 21, 6), (50 + sign * 17, 22)])
        knee, foot = {"flared": (13, 20.6), "wide": (19, 23.6), "skinny": (13.4, 11.6)}.get(
            silhouette, (15.4, 15.4)
        )
        painter.seam([(50 + sign * 16.4, 27), (50 + sign * knee, 57, 20), (50 + sign * foot, 90)])
        if silhouette == "ripped":
            y = 50.0
            for i in range(3):
                painter.line(
                    [(50 + sign * 6, y + i * 2.4), (50 + sign * 13, y + 0.6 + i * 2.4)],
                    1.5,
                    (0.93, 0.92, 0.9),
                )
    _waistband(painter, laced=False)


def shorts(painter: Painter, silhouette: str) -> None:
    hem = {"bermuda": 78, "running": 60}.get(silhouette, 67)
    for sign in (1, -1):
        right = [(50, 24), (69, 24, 2), (74, 45, 20), (79, hem), (53, hem + 3), (50.4, 52, 4)]
        painter.part(outline([(50 + sign * (p[0] - 50), *p[1:]) for p in right], 1.5))
        painter.seam([(50 + sign * 3.6, hem - 0.4), (50 + sign * 28.4, hem - 3.4)])
        painter.seam([(50 + sign * 10, 29.6), (50 + sign * 20.4, 40)])
        if silhouette == "running":
            painter.line([(50 + sign * 19.6, 30), (50 + sign * 26.6, hem - 1)], 2.0, painter.trim)
        if silhouette == "cargo":
            painter.part(
                outline(
                    [(50 + sign * x, y) for x, y in ((14, 48), (25, 47), (26, 60), (15, 61))], 1
                ),
                volume=0.5,
            )
    painter.fold([(47, 54), (37, 57)], 1.8)
    painter.fold([(53, 54), (63, 57)], 1.8)
    band = outline(mirror([(50, 22.5), (69, 22), (70, 29), (50, 30)]), 0.8)
    if silhouette == "running":
        painter.solid(band, volume=0.5)
        for x in (48, 52):
            painter.line([(x, 29), (x - 1, 35), (x + 0.8, 41)], 1.2, (0.93, 0.92, 0.9))
        return
    painter.part(band, volume=0.5)
    _fly(painter, 30, 47)


def sock(painter: Painter, silhouette: str) -> None:
    top = {"ankle": 42, "knee": 8}.get(silhouette, 22)
    painter.part(
        outline(
            [
                (34, top),
                (53, top),
                (54, 58, 10),
                (60, 66, 8),
                (80, 72, 14),
                (82, 88, 9),
                (60, 89, 12),
                (36, 84, 14),
                (33, 66, 12),
            ],
            3,
        )
    )
    painter.solid(outline([(70, 69), (82, 72, 9), (83, 88, 9), (72, 89)], 2), volume=0.7)
    painter.solid(outline([(33.4, 68), (42, 72, 5), (46, 86, 5), (36, 85, 9)], 3), volume=0.7)
    painter.solid(rect(32.6, top - 1, 54.4, top + 9, 2), painter.palette.base, volume=0.7)
    for x in range(35, 54, 2):
        painter.line([(x, top), (x, top + 8)], 0.5, alpha=0.4)


KINDS = {
    "dress": Kind(
        dress,
        ("a-line", "sheath", "maxi", "mini", "wrap", "sleeveless"),
        ("cotton", "silk", "linen", "velvet"),
    ),
    "skirt": Kind(
        skirt, ("a-line", "pencil", "pleated", "mini", "maxi"), ("cotton", "denim", "silk", "wool")
    ),
    "pants": Kind(
        pants, ("tailored", "chino", "wide", "joggers", "cargo"), ("cotton", "linen", "wool")
    ),
    "jeans": Kind(jeans, ("straight", "skinny", "flared", "wide", "ripped"), ("denim",)),
    "shorts": Kind(shorts, ("chino", "bermuda", "running", "cargo"), ("cotton", "linen", "denim")),
    "sock": Kind(sock, ("crew", "ankle", "knee"), ("cotton", "knit", "wool")),
}
