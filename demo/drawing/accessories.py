"""Hats, bags and what else is worn or carried."""

import math

from demo.drawing.easel import Easel
from demo.drawing.kind import Kind
from demo.drawing.palette import darker, lighter, luminance, mix
from demo.drawing.shapes import band, circle, curve, mirror, outline, oval, rect

__all__ = ["KINDS"]

GOLD = (0.83, 0.69, 0.36)
STEEL = (0.74, 0.76, 0.80)
LEATHER = (0.42, 0.26, 0.16)


def hat(easel: Easel, silhouette: str) -> None:
    if silhouette == "bucket":
        easel.part(outline(mirror([(50, 26, 12), (66, 27, 9), (71, 52), (50, 55)]), 3))
        easel.part(
            outline(mirror([(50, 53, 20), (71, 51), (86, 70, 5), (50, 79, 40)]), 3), volume=0.8
        )
        for y in (58, 63, 68):
            easel.seam(
                [(29 - (y - 53) * 0.7, y - 2), (50, y + 3, 40), (71 + (y - 53) * 0.7, y - 2)],
                alpha=0.4,
            )
        return
    wide = {"sun": 45, "fedora": 38, "bowler": 33}[silhouette]
    easel.part(oval(50, 66, wide, 12 if silhouette == "sun" else 9), volume=0.8)
    easel.shade(oval(50, 64, 25, 5), 0.3)
    crown = {
        "sun": [(50, 26, 20), (68, 28, 18), (73, 63), (50, 68, 30)],
        "fedora": [(50, 27, 4), (60, 22, 6), (68, 28, 6), (73, 62), (50, 68, 30)],
        "bowler": [(50, 26, 30), (72, 27, 26), (73, 63), (50, 68, 30)],
    }[silhouette]
    easel.part(outline(mirror(crown), 3))
    if silhouette == "fedora":
        easel.fold([(50, 29), (50, 48)], 3)
    ribbon = easel.trim
    easel.solid(
        outline(mirror([(50, 60, 30), (72.2, 55), (73.2, 63), (50, 69, 30)]), 1),
        ribbon,
        "cotton",
        volume=0.5,
    )


def cap(easel: Easel, silhouette: str) -> None:
    easel.part(
        outline([(16, 58), (17, 34, 22), (42, 22, 24), (66, 30, 22), (70, 57), (44, 62, 30)], 3)
    )
    easel.line([(43, 25), (34, 40, 12), (34, 59)], 0.7, alpha=0.7)
    easel.line([(43, 25), (56, 40, 12), (58, 59)], 0.7, alpha=0.7)
    panel = outline([(43, 25), (64, 31, 20), (70, 57), (57, 60), (55, 38, 12)], 2)
    if silhouette == "trucker":
        easel.solid(panel, (0.95, 0.95, 0.94), "cotton", volume=0.6)
    brim = [(38, 60), (70, 55, 6), (94, 66, 9), (92, 72, 6), (66, 66, 18), (42, 66, 9)]
    if silhouette == "flat brim":
        brim = [(40, 60), (70, 56, 4), (96, 58, 4), (96, 63, 3), (66, 65, 9), (42, 65, 6)]
    easel.solid(outline(brim, 3), easel.palette.base, volume=0.7)
    easel.solid(oval(43, 24.4, 3.2, 1.8), volume=0.5)
    if silhouette == "baseball":
        badge = easel.palette.accent if easel.pattern == "plain" else easel.palette.base
        easel.solid(
            outline([(60, 40), (66, 42), (66, 49), (62, 53), (58.6, 48)], 2),
            badge,
            "cotton",
            volume=0.4,
        )


def beanie(easel: Easel, silhouette: str) -> None:
    top = 20 if silhouette == "slouchy" else 27
    crown = [(50, top, 24), (72, top + 1, 24), (75, 66), (50, 70, 40)]
    if silhouette == "slouchy":
        crown = [(50, 20, 20), (70, 14, 16), (80, 30, 14), (74, 66), (50, 70, 40)]
        easel.part(
            outline([(25, 66), (27, 30, 20), (50, 18, 20), (72, 12, 12), (84, 26, 14), (75, 66)], 3)
        )
    else:
        easel.part(outline(mirror(crown), 3))
    for x in range(-20, 21, 4):
        easel.line([(50 + x * 0.25, top + 4), (50 + x * 0.85, 40), (50 + x, 64)], 0.7, alpha=0.4)
    cuff = outline(mirror([(50, 60, 40), (77, 57, 3), (78, 74, 4), (50, 79, 40)]), 3)
    if silhouette != "fisherman":
        easel.solid(cuff, easel.palette.base, volume=0.8)
        for x in range(-26, 27, 3):
            easel.line(
                [(50 + x, 60 - abs(x) * 0.06), (50 + x * 1.02, 76 - abs(x) * 0.07)], 0.7, alpha=0.45
            )
    else:
        easel.part(cuff, volume=0.7)
    if silhouette == "pompom":
        pom = (
            easel.palette.accent if easel.pattern != "plain" else lighter(easel.palette.base, 0.35)
        )
        easel.solid(circle(50, 19, 10.5), pom, "plush")


def scarf(easel: Easel, silhouette: str) -> None:
    if silhouette == "folded":
        for i in range(12):
            easel.line([(24 + i * 4.6, 78), (23.6 + i * 4.6, 88)], 1.4, easel.trim)
        easel.part(rect(22, 14, 78, 80, 2))
        for x in (40, 60):
            easel.fold([(x, 16), (x + 0.5, 50), (x, 79)], 2.4)
            easel.line([(x, 14), (x, 80)], 0.6, alpha=0.5)
        easel.solid(rect(22, 68, 78, 72, 0.5), volume=0.3)
        return
    for left, end in ((26, 86), (58, 78)):
        for i in range(7):
            easel.line(
                [(left + 1.4 + i * 2.2, end - 2), (left + 1.0 + i * 2.2, end + 7)], 1.1, easel.trim
            )
    easel.hollow(outline(mirror([(50, 10, 14), (66, 12, 14), (62, 34, 8), (50, 36)]), 6))
    if silhouette == "wrapped":
        _tails(easel)
        easel.part(
            outline(
                mirror([(50, 26, 20), (68, 12, 9), (78, 26, 12), (72, 44, 14), (50, 52, 30)]), 8
            )
        )
        for y in (32, 38, 44):
            easel.fold([(28, y - 8), (50, y + 3, 30), (72, y - 8)], 1.8)
        return
    _tails(easel)


def _tails(easel: Easel) -> None:
    """Draws the scarf around a neck: up one side, over the back, and down the other."""
    easel.part(
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
    easel.part(
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
        easel.solid(rect(left, end - 11, left + 16, end - 6.6, 0.6), volume=0.3)
        easel.fold([(left + 6, 30), (left + 7, 56), (left + 6, end - 12)], 2.2)


def handbag(easel: Easel, silhouette: str) -> None:
    metal = GOLD if easel.rng.random() < 0.7 else STEEL
    if silhouette == "tote":
        easel.solid(band([(36, 44), (38, 10, 16), (62, 10, 16), (64, 44)], 3.8, 16), volume=0.8)
        easel.part(outline([(20, 36), (80, 36), (76, 88), (24, 88)], 3))
        easel.seam([(21, 40), (79, 40)])
        return
    if silhouette == "clutch":
        easel.part(rect(14, 36, 86, 78, 4))
        easel.part(
            outline([(14, 36), (86, 36), (84, 52, 8), (50, 64, 12), (16, 52, 8)], 3), volume=0.6
        )
        easel.solid(circle(50, 60, 3.4), metal, "metal", volume=0.5)
        easel.line(
            [(80, 40), (92, 50, 8), (88, 70, 8), (84, 60)], 1.6, darker(easel.palette.base, 0.3)
        )
        return
    if silhouette == "crossbody":
        easel.solid(band([(24, 50), (30, 2, 60), (70, 2, 60), (76, 50)], 2.6), volume=0.8)
        easel.part(
            outline([(20, 44), (80, 44), (82, 74, 12), (72, 86, 8), (28, 86, 8), (18, 74, 12)], 4)
        )
        easel.part(
            outline([(20, 43), (80, 43), (81, 60, 10), (50, 70, 24), (19, 60, 10)], 4), volume=0.6
        )
    else:
        easel.solid(band([(33, 46), (34, 10, 18), (66, 10, 18), (67, 46)], 5.0, 18), volume=0.8)
        easel.part(outline([(26, 40), (74, 40), (84, 82, 5), (80, 87), (20, 87), (16, 82, 5)], 4))
        easel.part(outline([(26, 40), (74, 40), (76, 52), (24, 52)], 2), volume=0.5)
        for x in (33, 67):
            easel.solid(circle(x, 46, 2.4), metal, "metal", volume=0.4)
    easel.solid(rect(46, 52, 54, 60, 1.4), metal, "metal", volume=0.6)
    easel.stitches(curve([(23, 82), (77, 82)]), easel.palette.ink)


def backpack(easel: Easel, silhouette: str) -> None:
    easel.stroke(curve([(44, 14), (45, 5, 5), (55, 5, 5), (56, 14)], 5), 3.0, easel.trim)
    for sign in (1, -1):
        easel.solid(
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
    easel.part(
        outline(
            mirror([(50, 10, 20), (70, 11, 18), (77, 36, 9), (78, 84, 9), (70, 91), (50, 92)]), 5
        )
    )
    if silhouette == "flap":
        easel.part(
            outline(mirror([(50, 11, 20), (72, 13, 14), (77, 46, 6), (50, 54, 20)]), 4), volume=0.7
        )
        for x in (38, 62):
            easel.solid(rect(x - 2, 40, x + 2, 64, 1), LEATHER, "leather", volume=0.4)
            easel.solid(rect(x - 2.6, 55, x + 2.6, 60, 0.8), GOLD, "metal", volume=0.4)
    else:
        easel.line([(27, 42), (30, 18, 16), (50, 14, 16), (70, 18, 16), (73, 42)], 1.6, STEEL)
    easel.part(outline([(30, 62), (70, 62), (72, 86), (28, 86)], 5), volume=0.8)
    if silhouette != "flap":
        easel.line([(31, 67), (69, 67)], 1.4, STEEL)
        easel.solid(rect(60, 66.4, 62.4, 73, 1), volume=0.4)
    if silhouette == "hiking":
        easel.solid(rect(30, 8, 70, 20, 6), volume=0.8)
        for y in (32, 44):
            easel.line([(26, y), (74, y)], 1.3, easel.trim)
        easel.solid(rect(46, 27, 54, 55, 1), volume=0.4)


def suitcase(easel: Easel, silhouette: str) -> None:
    grey = (0.42, 0.43, 0.46)
    for x in (42, 58):
        easel.line([(x, 8), (x, 24)], 1.8, STEEL)
    easel.line([(41, 7), (59, 7)], 3.6, (0.16, 0.16, 0.18))
    for x in (30, 70):
        easel.flat(circle(x, 93, 3.4), (0.14, 0.14, 0.16))
        easel.flat(circle(x, 93, 1.3), grey)
    easel.part(rect(22, 20, 78, 91, 7))
    if silhouette == "trolley":
        for x in (32, 41, 50, 59, 68):
            easel.fold([(x, 25), (x, 86)], 1.8)
            easel.line([(x, 25), (x, 86)], 0.6, alpha=0.5)
    else:
        for x in (34, 66):
            easel.solid(rect(x - 2.6, 20, x + 2.6, 91, 0.4), LEATHER, "leather", volume=0.4)
            easel.solid(rect(x - 3.2, 44, x + 3.2, 50, 0.8), GOLD, "metal", volume=0.4)
    for x in (22, 78):
        for y in (20, 91):
            if silhouette == "vintage":
                sx, sy = (1 if x == 22 else -1), (1 if y == 20 else -1)
                easel.solid(
                    outline([(x, y), (x + sx * 10, y), (x, y + sy * 10)], 3),
                    LEATHER,
                    "leather",
                    volume=0.4,
                )
    easel.solid(rect(42, 34, 58, 38, 2), darker(easel.trim, 0.2), "leather", volume=0.5)


def umbrella(easel: Easel, silhouette: str) -> None:
    easel.line([(50, 10), (50, 50), (50, 84)], 1.8, (0.35, 0.3, 0.28))
    wood = (0.55, 0.36, 0.2)
    if silhouette == "cane":
        easel.stroke(
            curve([(50, 74), (50, 94, 7), (39, 94, 7), (39, 84)], 7), 3.4, darker(wood, 0.3)
        )
        easel.stroke(curve([(50, 74), (50, 94, 7), (39, 94, 7), (39, 84)], 7), 2.6, wood)
    else:
        easel.solid(rect(47.6, 72, 52.4, 92, 2), (0.15, 0.15, 0.17), "rubber", volume=0.6)
    deep = 54 if silhouette == "dome" else 50
    top = 8 if silhouette == "dome" else 16
    easel.line([(50, top - 6), (50, top + 3)], 1.8, (0.35, 0.3, 0.28))
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
    easel.part(outline([*scallops, (88, top + 8, 30), (50, top - 4, 34), (12, top + 8, 30)], 3))
    for x in (29, 50, 71):
        easel.line([(50, top + 1), (50 + (x - 50) * 0.8, top + 14), (x, deep)], 0.8, alpha=0.7)


def watch(easel: Easel, silhouette: str) -> None:
    metal = GOLD if easel.rng.random() < 0.5 else STEEL
    for ends in (
        [(39, 34), (61, 34), (58.5, 3), (41.5, 3)],
        [(39, 66), (61, 66), (58, 97), (42, 97)],
    ):
        easel.part(outline(ends, 3))
    for y in (78, 83, 88):
        easel.flat(circle(50, y, 0.9), darker(easel.palette.base, 0.6))
    easel.stitches(curve([(42.5, 6), (41, 32)]), easel.palette.ink)
    easel.stitches(curve([(57.5, 6), (59, 32)]), easel.palette.ink)
    face = easel.palette.base
    if silhouette == "digital":
        easel.solid(rect(31, 32, 69, 68, 8), darker(easel.palette.base, 0.15), "plastic")
        easel.flat(rect(36, 39, 64, 60, 3), (0.68, 0.76, 0.66))
        for x in (40, 47, 55):
            easel.stroke(rect(x, 44, x + 4.4, 55, 0.6), 1.1, (0.1, 0.13, 0.1))
        return
    case = circle(50, 50, 21) if silhouette == "round" else rect(31, 30, 69, 70, 6)
    easel.solid(rect(70, 47, 74, 53, 1), metal, "metal", volume=0.5)
    easel.solid(case, metal, "metal")
    easel.flat(
        circle(50, 50, 17) if silhouette == "round" else rect(34.5, 33.5, 65.5, 66.5, 4), face
    )
    hands = (0.97, 0.97, 0.95) if luminance(face) < 0.55 else (0.12, 0.12, 0.14)
    for i in range(12):
        angle = i * math.pi / 6
        dx, dy = math.sin(angle), math.cos(angle)
        easel.line([(50 + dx * 13, 50 - dy * 13), (50 + dx * 15, 50 - dy * 15)], 1.0, hands)
    easel.line([(50, 50), (50 - 6, 50 - 6)], 1.6, hands)
    easel.line([(50, 50), (50 + 5, 50 - 10)], 1.2, hands)
    easel.glint(outline([(38, 44), (48, 36), (52, 36), (38, 50)], 2), 0.22)


def sunglasses(easel: Easel, silhouette: str) -> None:
    for sign in (1, -1):
        easel.line(
            [(50 + sign * 38, 44), (50 + sign * 44, 36), (50 + sign * 40, 30)],
            3.2,
            darker(easel.palette.base, 0.25),
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
        easel.part(lens)
        easel.flat(inner, mix(easel.palette.base, (0.08, 0.08, 0.11), 0.8))
        easel.glint(
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
    easel.stroke(curve([(43, 46), (50, 41), (57, 46)], 9), 4.4)
    easel.stroke(curve([(43, 46), (50, 41), (57, 46)], 9), 3.6, easel.palette.base)


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
