"""Hats, bags and what else is worn or carried."""

import math

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import darker, lighter, luminance, mix
from demo.drawing.shapes import band, circle, curve, mirror, outline, oval, rect

__all__ = ["KINDS"]

GOLD = (0.83, 0.69, 0.36)
STEEL = (0.74, 0.76, 0.80)
LEATHER = (0.42, 0.26, 0.16)


def hat(painter: Painter, silhouette: str) -> None:
    if silhouette == "bucket":
        painter.part(outline(mirror([(50, 26, 12), (66, 27, 9), (71, 52), (50, 55)]), 3))
        painter.part(
            outline(mirror([(50, 53, 20), (71, 51), (86, 70, 5), (50, 79, 40)]), 3), volume=0.8
        )
        for y in (58, 63, 68):
            painter.seam(
                [(29 - (y - 53) * 0.7, y - 2), (50, y + 3, 40), (71 + (y - 53) * 0.7, y - 2)],
                alpha=0.4,
            )
        return
    wide = {"sun": 45, "fedora": 38, "bowler": 33}[silhouette]
    painter.part(oval(50, 66, wide, 12 if silhouette == "sun" else 9), volume=0.8)
    painter.shade(oval(50, 64, 25, 5), 0.3)
    crown = {
        "sun": [(50, 26, 20), (68, 28, 18), (73, 63), (50, 68, 30)],
        "fedora": [(50, 27, 4), (60, 22, 6), (68, 28, 6), (73, 62), (50, 68, 30)],
        "bowler": [(50, 26, 30), (72, 27, 26), (73, 63), (50, 68, 30)],
    }[silhouette]
    painter.part(outline(mirror(crown), 3))
    if silhouette == "fedora":
        painter.fold([(50, 29), (50, 48)], 3)
    ribbon = painter.trim
    painter.solid(
        outline(mirror([(50, 60, 30), (72.2, 55), (73.2, 63), (50, 69, 30)]), 1),
        ribbon,
        "cotton",
        volume=0.5,
    )


def cap(painter: Painter, silhouette: str) -> None:
    painter.part(
        outline([(16, 58), (17, 34, 22), (42, 22, 24), (66, 30, 22), (70, 57), (44, 62, 30)], 3)
    )
    painter.line([(43, 25), (34, 40, 12), (34, 59)], 0.7, alpha=0.7)
    painter.line([(43, 25), (56, 40, 12), (58, 59)], 0.7, alpha=0.7)
    panel = outline([(43, 25), (64, 31, 20), (70, 57), (57, 60), (55, 38, 12)], 2)
    if silhouette == "trucker":
        painter.solid(panel, (0.95, 0.95, 0.94), "cotton", volume=0.6)
    brim = [(38, 60), (70, 55, 6), (94, 66, 9), (92, 72, 6), (66, 66, 18), (42, 66, 9)]
    if silhouette == "flat brim":
        brim = [(40, 60), (70, 56, 4), (96, 58, 4), (96, 63, 3), (66, 65, 9), (42, 65, 6)]
    painter.solid(outline(brim, 3), painter.palette.base, volume=0.7)
    painter.solid(oval(43, 24.4, 3.2, 1.8), volume=0.5)
    if silhouette == "baseball":
        badge = painter.palette.accent if painter.pattern == "plain" else painter.palette.base
        painter.solid(
            outline([(60, 40), (66, 42), (66, 49), (62, 53), (58.6, 48)], 2),
            badge,
            "cotton",
            volume=0.4,
        )


def beanie(painter: Painter, silhouette: str) -> None:
    top = 20 if silhouette == "slouchy" else 27
    crown = [(50, top, 24), (72, top + 1, 24), (75, 66), (50, 70, 40)]
    if silhouette == "slouchy":
        crown = [(50, 20, 20), (70, 14, 16), (80, 30, 14), (74, 66), (50, 70, 40)]
        painter.part(
            outline([(25, 66), (27, 30, 20), (50, 18, 20), (72, 12, 12), (84, 26, 14), (75, 66)], 3)
        )
    else:
        painter.part(outline(mirror(crown), 3))
    for x in range(-20, 21, 4):
        painter.line([(50 + x * 0.25, top + 4), (50 + x * 0.85, 40), (50 + x, 64)], 0.7, alpha=0.4)
    cuff = outline(mirror([(50, 60, 40), (77, 57, 3), (78, 74, 4), (50, 79, 40)]), 3)
    if silhouette != "fisherman":
        painter.solid(cuff, painter.palette.base, volume=0.8)
        for x in range(-26, 27, 3):
            painter.line(
                [(50 + x, 60 - abs(x) * 0.06), (50 + x * 1.02, 76 - abs(x) * 0.07)], 0.7, alpha=0.45
            )
    else:
        painter.part(cuff, volume=0.7)
    if silhouette == "pompom":
        pom = (
            painter.palette.accent
            if painter.pattern != "plain"
            else lighter(painter.palette.base, 0.35)
        )
        painter.solid(circle(50, 19, 10.5), pom, "plush")


def scarf(painter: Painter, silhouette: str) -> None:
    if silhouette == "folded":
        for i in range(12):
            painter.line([(24 + i * 4.6, 78), (23.6 + i * 4.6, 88)], 1.4, painter.trim)
        painter.part(rect(22, 14, 78, 80, 2))
        for x in (40, 60):
            painter.fold([(x, 16), (x + 0.5, 50), (x, 79)], 2.4)
            painter.line([(x, 14), (x, 80)], 0.6, alpha=0.5)
        painter.solid(rect(22, 68, 78, 72, 0.5), volume=0.3)
        return
    for left, end in ((26, 86), (58, 78)):
        for i in range(7):
            painter.line(
                [(left + 1.4 + i * 2.2, end - 2), (left + 1.0 + i * 2.2, end + 7)],
                1.1,
                painter.trim,
            )
    painter.hollow(outline(mirror([(50, 10, 14), (66, 12, 14), (62, 34, 8), (50, 36)]), 6))
    if silhouette == "wrapped":
        _tails(painter)
        painter.part(
            outline(
                mirror([(50, 26, 20), (68, 12, 9), (78, 26, 12), (72, 44, 14), (50, 52, 30)]), 8
            )
        )
        for y in (32, 38, 44):
            painter.fold([(28, y - 8), (50, y + 3, 30), (72, y - 8)], 1.8)
        return
    _tails(painter)


def _tails(painter: Painter) -> None:
    """Draws the scarf around a neck: up one side, over the back, and down the other."""
    painter.part(
        outline(
            [
                (42, 86),
                (26, 86),
                (25, 30, 20),
                (36, 6, 18),
                (52, 6, 9),
                (50, 12, 6),
                (42, 20, 12),
                (43, 50, 20),
            ],
            2,
        )
    )
    painter.part(
        outline(
            [
                (58, 78),
                (74, 78),
                (76, 30, 20),
                (64, 6, 18),
                (48, 6, 9),
                (50, 12, 6),
                (59, 20, 12),
                (57, 50, 20),
            ],
            2,
        )
    )
    for left, end in ((26, 86), (58, 78)):
        painter.solid(rect(left, end - 11, left + 16, end - 6.6, 0.6), volume=0.3)
        painter.fold([(left + 6, 30), (left + 7, 56), (left + 6, end - 12)], 2.2)


def handbag(painter: Painter, silhouette: str) -> None:
    metal = GOLD if painter.rng.random() < 0.7 else STEEL
    if silhouette == "tote":
        painter.solid(band([(36, 44), (38, 10, 16), (62, 10, 16), (64, 44)], 3.8, 16), volume=0.8)
        painter.part(outline([(20, 36), (80, 36), (76, 88), (24, 88)], 3))
        painter.seam([(21, 40), (79, 40)])
        return
    if silhouette == "clutch":
        painter.part(rect(14, 36, 86, 78, 4))
        painter.part(
            outline([(14, 36), (86, 36), (84, 52, 8), (50, 64, 12), (16, 52, 8)], 3), volume=0.6
        )
        painter.solid(circle(50, 60, 3.4), metal, "metal", volume=0.5)
        painter.line(
            [(80, 40), (92, 50, 8), (88, 70, 8), (84, 60)], 1.6, darker(painter.palette.base, 0.3)
        )
        return
    if silhouette == "crossbody":
        painter.solid(band([(24, 50), (30, 2, 60), (70, 2, 60), (76, 50)], 2.6), volume=0.8)
        painter.part(
            outline([(20, 44), (80, 44), (82, 74, 12), (72, 86, 8), (28, 86, 8), (18, 74, 12)], 4)
        )
        painter.part(
            outline([(20, 43), (80, 43), (81, 60, 10), (50, 70, 24), (19, 60, 10)], 4), volume=0.6
        )
    else:
        painter.solid(band([(33, 46), (34, 10, 18), (66, 10, 18), (67, 46)], 5.0, 18), volume=0.8)
        painter.part(outline([(26, 40), (74, 40), (84, 82, 5), (80, 87), (20, 87), (16, 82, 5)], 4))
        painter.part(outline([(26, 40), (74, 40), (76, 52), (24, 52)], 2), volume=0.5)
        for x in (33, 67):
            painter.solid(circle(x, 46, 2.4), metal, "metal", volume=0.4)
    painter.solid(rect(46, 52, 54, 60, 1.4), metal, "metal", volume=0.6)
    painter.stitches(curve([(23, 82), (77, 82)]), painter.palette.ink)


def backpack(painter: Painter, silhouette: str) -> None:
    painter.stroke(curve([(44, 14), (45, 5, 5), (55, 5, 5), (56, 14)], 5), 3.0, painter.trim)
    for sign in (1, -1):
        painter.solid(
            outline(
                [
                    (50 + sign * 24, 34),
                    (50 + sign * 33, 40, 9),
                    (50 + sign * 34, 72, 9),
                    (50 + sign * 26, 82),
                    (50 + sign * 25, 74),
                ],
                4,
            ),
            volume=0.7,
        )
    painter.part(
        outline(
            mirror([(50, 10, 20), (70, 11, 18), (77, 36, 9), (78, 84, 9), (70, 91), (50, 92)]), 5
        )
    )
    if silhouette == "flap":
        painter.part(
            outline(mirror([(50, 11, 20), (72, 13, 14), (77, 46, 6), (50, 54, 20)]), 4), volume=0.7
        )
        for x in (38, 62):
            painter.solid(rect(x - 2, 40, x + 2, 64, 1), LEATHER, "leather", volume=0.4)
            painter.solid(rect(x - 2.6, 55, x + 2.6, 60, 0.8), GOLD, "metal", volume=0.4)
    else:
        painter.line([(27, 42), (30, 18, 16), (50, 14, 16), (70, 18, 16), (73, 42)], 1.6, STEEL)
    painter.part(outline([(30, 62), (70, 62), (72, 86), (28, 86)], 5), volume=0.8)
    if silhouette != "flap":
        painter.line([(31, 67), (69, 67)], 1.4, STEEL)
        painter.solid(rect(60, 66.4, 62.4, 73, 1), volume=0.4)
    if silhouette == "hiking":
        painter.solid(rect(30, 8, 70, 20, 6), volume=0.8)
        for y in (32, 44):
            painter.line([(26, y), (74, y)], 1.3, painter.trim)
        painter.solid(rect(46, 27, 54, 55, 1), volume=0.4)


def suitcase(painter: Painter, silhouette: str) -> None:
    gray = (0.42, 0.43, 0.46)
    for x in (42, 58):
        painter.line([(x, 8), (x, 24)], 1.8, STEEL)
    painter.line([(41, 7), (59, 7)], 3.6, (0.16, 0.16, 0.18))
    for x in (30, 70):
        painter.flat(circle(x, 93, 3.4), (0.14, 0.14, 0.16))
        painter.flat(circle(x, 93, 1.3), gray)
    painter.part(rect(22, 20, 78, 91, 7))
    if silhouette == "trolley":
        for x in (32, 41, 50, 59, 68):
            painter.fold([(x, 25), (x, 86)], 1.8)
            painter.line([(x, 25), (x, 86)], 0.6, alpha=0.5)
    else:
        for x in (34, 66):
            painter.solid(rect(x - 2.6, 20, x + 2.6, 91, 0.4), LEATHER, "leather", volume=0.4)
            painter.solid(rect(x - 3.2, 44, x + 3.2, 50, 0.8), GOLD, "metal", volume=0.4)
    for x in (22, 78):
        for y in (20, 91):
            if silhouette == "vintage":
                sx, sy = (1 if x == 22 else -1), (1 if y == 20 else -1)
                painter.solid(
                    outline([(x, y), (x + sx * 10, y), (x, y + sy * 10)], 3),
                    LEATHER,
                    "leather",
                    volume=0.4,
                )
    painter.solid(rect(42, 34, 58, 38, 2), darker(painter.trim, 0.2), "leather", volume=0.5)


def umbrella(painter: Painter, silhouette: str) -> None:
    painter.line([(50, 10), (50, 50), (50, 84)], 1.8, (0.35, 0.3, 0.28))
    wood = (0.55, 0.36, 0.2)
    if silhouette == "cane":
        painter.stroke(
            curve([(50, 74), (50, 94, 7), (39, 94, 7), (39, 84)], 7), 3.4, darker(wood, 0.3)
        )
        painter.stroke(curve([(50, 74), (50, 94, 7), (39, 94, 7), (39, 84)], 7), 2.6, wood)
    else:
        painter.solid(rect(47.6, 72, 52.4, 92, 2), (0.15, 0.15, 0.17), "rubber", volume=0.6)
    deep = 54 if silhouette == "dome" else 50
    top = 8 if silhouette == "dome" else 16
    painter.line([(50, top - 6), (50, top + 3)], 1.8, (0.35, 0.3, 0.28))
    scallops = [
        (8, deep, 1),
        (18, deep - 6, 6),
        (29, deep, 1),
        (39.5, deep - 6, 6),
        (50, deep, 1),
        (60.5, deep - 6, 6),
        (71, deep, 1),
        (82, deep - 6, 6),
        (92, deep, 1),
    ]
    painter.part(outline([*scallops, (88, top + 8, 30), (50, top - 4, 34), (12, top + 8, 30)], 3))
    for x in (29, 50, 71):
        painter.line([(50, top + 1), (50 + (x - 50) * 0.8, top + 14), (x, deep)], 0.8, alpha=0.7)


def watch(painter: Painter, silhouette: str) -> None:
    metal = GOLD if painter.rng.random() < 0.5 else STEEL
    for ends in (
        [(39, 34), (61, 34), (58.5, 3), (41.5, 3)],
        [(39, 66), (61, 66), (58, 97), (42, 97)],
    ):
        painter.part(outline(ends, 3))
    for y in (78, 83, 88):
        painter.flat(circle(50, y, 0.9), darker(painter.palette.base, 0.6))
    painter.stitches(curve([(42.5, 6), (41, 32)]), painter.palette.ink)
    painter.stitches(curve([(57.5, 6), (59, 32)]), painter.palette.ink)
    face = painter.palette.base
    if silhouette == "digital":
        painter.solid(rect(31, 32, 69, 68, 8), darker(painter.palette.base, 0.15), "plastic")
        painter.flat(rect(36, 39, 64, 60, 3), (0.68, 0.76, 0.66))
        for x in (40, 47, 55):
            painter.stroke(rect(x, 44, x + 4.4, 55, 0.6), 1.1, (0.1, 0.13, 0.1))
        return
    case = circle(50, 50, 21) if silhouette == "round" else rect(31, 30, 69, 70, 6)
    painter.solid(rect(70, 47, 74, 53, 1), metal, "metal", volume=0.5)
    painter.solid(case, metal, "metal")
    painter.flat(
        circle(50, 50, 17) if silhouette == "round" else rect(34.5, 33.5, 65.5, 66.5, 4), face
    )
    hands = (0.97, 0.97, 0.95) if luminance(face) < 0.55 else (0.12, 0.12, 0.14)
    for i in range(12):
        angle = i * math.pi / 6
        dx, dy = math.sin(angle), math.cos(angle)
        painter.line([(50 + dx * 13, 50 - dy * 13), (50 + dx * 15, 50 - dy * 15)], 1.0, hands)
    painter.line([(50, 50), (50 - 6, 50 - 6)], 1.6, hands)
    painter.line([(50, 50), (50 + 5, 50 - 10)], 1.2, hands)
    painter.glint(outline([(38, 44), (48, 36), (52, 36), (38, 50)], 2), 0.22)


def sunglasses(painter: Painter, silhouette: str) -> None:
    for sign in (1, -1):
        painter.line(
            [(50 + sign * 38, 44), (50 + sign * 44, 36), (50 + sign * 40, 30)],
            3.2,
            darker(painter.palette.base, 0.25),
        )
    for sign in (1, -1):
        if silhouette == "round":
            lens = circle(50 + sign * 22, 50, 17)
            inner = circle(50 + sign * 22, 50, 10)
        else:
            brow = 34 if silhouette == "cat-eye" else 38
            points = [(6, 42), (40, brow), (40, 52, 9), (31, 66, 9), (14, 66, 9), (6, 54, 6)]
            lens = outline([(50 + sign * x, y) for x, y, *_ in points], 6)
            small = [
                (50 + sign * (23 + (x - 23) * 0.62), 51 + (y - 51) * 0.56) for x, y, *_ in points
            ]
            inner = outline(small, 6)
        painter.part(lens)
        painter.flat(inner, mix(painter.palette.base, (0.08, 0.08, 0.11), 0.8))
        painter.glint(
            outline(
                [
                    (50 + sign * 22 - 8, 50),
                    (50 + sign * 22 - 2, 43),
                    (50 + sign * 22 + 2, 43),
                    (50 + sign * 22 - 8, 54),
                ],
                1,
            ),
            0.35,
        )
    painter.stroke(curve([(43, 46), (50, 41), (57, 46)], 9), 4.4)
    painter.stroke(curve([(43, 46), (50, 41), (57, 46)], 9), 3.6, painter.palette.base)


KINDS = {
    "hat": Kind(hat, ("fedora", "sun", "bucket", "bowler"), ("straw", "wool", "cotton")),
    "cap": Kind(cap, ("baseball", "trucker", "flat brim"), ("cotton", "denim", "wool")),
    "beanie": Kind(beanie, ("cuffed", "pompom", "slouchy", "fisherman"), ("knit", "wool")),
    "scarf": Kind(scarf, ("draped", "wrapped", "folded"), ("wool", "knit", "silk", "cotton")),
    "handbag": Kind(
        handbag, ("satchel", "tote", "clutch", "crossbody"), ("leather", "canvas", "suede")
    ),
    "backpack": Kind(backpack, ("daypack", "flap", "hiking"), ("canvas", "nylon", "leather")),
    "suitcase": Kind(
        suitcase, ("trolley", "vintage"), ("plastic", "canvas", "leather"), stands=True
    ),
    "umbrella": Kind(umbrella, ("cane", "dome", "compact"), ("nylon", "cotton")),
    "watch": Kind(watch, ("round", "square", "digital"), ("leather", "rubber", "canvas")),
    "sunglasses": Kind(sunglasses, ("wayfarer", "round", "cat-eye"), ("plastic",)),
}
