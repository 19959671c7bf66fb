"""Shoes, seen from the side."""

from demo.drawing.easel import Easel
from demo.drawing.kind import Kind
from demo.drawing.palette import RGB, darker, lighter, luminance
from demo.drawing.shapes import circle, outline, rect

__all__ = ["KINDS"]

RUBBER_WHITE: RGB = (0.95, 0.95, 0.93)
LACE: RGB = (0.96, 0.96, 0.95)


def _lace_colour(easel: Easel) -> RGB:
    return LACE if luminance(easel.palette.base) < 0.7 else darker(easel.palette.base, 0.45)


def sneaker(easel: Easel, silhouette: str) -> None:
    high = silhouette == "high-top"
    top = 24 if high else 42
    easel.hollow(outline([(17, top - 1), (40, top), (44, top + 9), (18, top + 8)], 5))
    upper = [(14, 70), (13, 55, 10), (15, top, 4), (24, top + 5, 8), (40, top + 1, 3), (50, 50, 9), (66, 58, 12), (88, 61, 14), (92, 72, 6), (90, 74)]
    easel.part(outline(upper, 3))
    easel.solid(outline([(72, 59), (88, 61, 14), (92, 73, 6), (74, 74), (70, 66, 6)], 3), volume=0.6)
    easel.solid(outline([(13.6, 56), (20, 50, 5), (25, 62, 5), (24, 74), (14, 74)], 3), volume=0.6)
    _laces(easel, top, high=high)
    _stripe(easel, silhouette)
    sole_top = 70 if silhouette != "runner" else 68
    sole = [(12, sole_top), (50, sole_top + 2, 30), (92, sole_top, 6), (94, 80, 8), (88, 83), (14, 83), (10, 80, 5)]
    easel.solid(outline(sole, 3), RUBBER_WHITE, "rubber", volume=0.6)
    easel.line([(12, 80.4), (50, 81, 30), (93, 79.4)], 0.9, easel.trim)


def _laces(easel: Easel, top: float, *, high: bool) -> None:
    easel.solid(outline([(39, top + 1), (44, top + 4, 4), (52, 50, 6), (65, 58), (58, 62), (45, 55, 6), (36, top + 9)], 2), volume=0.5)
    count = 6 if high else 4
    for i in range(count):
        share = i / (count - 1)
        x, y = 40 + 21 * share, (top + 5) + (57 - top - 5) * share
        if high and share < 0.6:
            x = 40 + 8 * share / 0.6
        easel.line([(x - 3, y + 4), (x + 3.4, y - 1.4)], 1.7, _lace_colour(easel))


def _stripe(easel: Easel, silhouette: str) -> None:
    if silhouette == "runner":
        easel.solid(outline([(24, 66), (34, 68, 9), (56, 60), (36, 72, 9), (26, 71)], 1), volume=0.3)
    elif silhouette == "high-top":
        easel.solid(circle(27, 47, 5), volume=0.4)
    elif silhouette == "low-top":
        for x in (29, 35, 41):
            easel.line([(x + 6, 55), (x, 69)], 2.2, easel.trim)


def boot(easel: Easel, silhouette: str) -> None:
    top = {"knee-high": 6, "chelsea": 30, "rain": 14}.get(silhouette, 22)
    easel.hollow(outline([(23, top - 1), (49, top - 1), (49, top + 6), (23, top + 6)], 4))
    shaft = [(22, top + 1, 2), (36, top + 3, 12), (50, top + 1, 2), (50, 52, 6), (56, 60, 8), (74, 64, 12), (86, 74, 9), (86, 84), (23, 84), (24, 66, 9)]
    easel.part(outline(shaft, 3))
    if silhouette == "chelsea":
        easel.solid(outline([(32, top + 4), (42, top + 4), (40, 58, 3), (34, 58, 3)], 1), darker(easel.palette.base, 0.4), "knit", volume=0.4)
        easel.line([(22.5, top + 2), (20, top - 5), (26, top - 5), (26, top + 3)], 1.3)
    elif silhouette == "lace-up":
        easel.line([(47, top + 3), (46, 54), (60, 64)], 0.9)
        for i in range(7):
            share = i / 6
            y = top + 6 + (60 - top - 6) * share
            x = 47.5 if share < 0.7 else 47.5 + (share - 0.7) * 26
            easel.line([(x - 3.4, y + 1.6), (x + 2.6, y - 1.6)], 1.5, _lace_colour(easel))
    elif silhouette == "rain":
        easel.glint(outline([(27, 22), (30, 22), (31, 58), (28, 58)], 1), 0.6)
        easel.solid(rect(21.6, top, 50.4, top + 5, 1.6), volume=0.5)
    else:
        easel.fold([(26, 56), (36, 60), (50, 56)], 2)
        easel.fold([(25, 62), (36, 66), (52, 60)], 2)
    easel.line([(64, 64), (62, 74), (66, 83)], 0.7, alpha=0.6)
    sole = darker(easel.palette.base, 0.6) if luminance(easel.palette.base) > 0.2 else (0.3, 0.24, 0.2)
    easel.solid(outline([(22, 82), (87, 82), (88, 88), (48, 88), (46, 94), (22, 94)], 1.4), sole, "rubber", volume=0.4)


def heel(easel: Easel, silhouette: str) -> None:
    block = silhouette == "block heel"
    post = [(13, 50), (27, 56), (24, 88), (14, 88)] if block else [(13, 46), (24, 56, 4), (15.6, 89), (12.6, 89)]
    easel.solid(outline(post, 2), volume=0.7)
    if silhouette == "slingback":
        easel.line([(20, 42), (10, 40), (13, 50)], 2.6)
        easel.line([(20, 42), (10, 40), (13, 50)], 1.8, easel.palette.base)
    easel.hollow(outline([(14, 36), (24, 42, 8), (46, 62, 12), (62, 66, 8), (64, 74), (40, 72, 10), (16, 54)], 5))
    body = [(12, 33, 4), (18, 42, 6), (40, 64, 14), (58, 70, 8), (67, 63, 9), (80, 68, 10), (93, 82, 8), (90, 88, 4), (62, 88, 10), (44, 80, 14), (28, 62, 12), (14, 58, 6)]
    easel.part(outline(body, 3))
    easel.solid(outline([(30, 63), (44, 80, 12), (62, 87.4, 8), (91, 87.4), (91, 90), (60, 90, 9), (42, 83, 12)], 1.4), darker(easel.palette.base, 0.45), "leather", volume=0.3)
    if silhouette == "ankle strap":
        easel.line([(15, 38), (28, 32, 9), (38, 42, 6), (30, 54)], 3.0)
        easel.line([(15, 38), (28, 32, 9), (38, 42, 6), (30, 54)], 2.1, easel.palette.base)
        easel.flat(circle(33, 37, 1.8), (0.8, 0.66, 0.34))
    if silhouette == "bow":
        for sign in (1, -1):
            easel.solid(outline([(74, 67), (74 + sign * 8, 62), (74 + sign * 8, 71)], 2), volume=0.5)
        easel.solid(circle(74, 67, 2.0), volume=0.5)


def sandal(easel: Easel, silhouette: str) -> None:
    wedge = silhouette == "wedge"
    cork = (0.74, 0.56, 0.36)
    bed = [(8, 58 if wedge else 74), (22, 60 if wedge else 76, 14), (60, 78, 20), (92, 76, 8), (93, 84, 5), (60, 87, 20), (8, 87, 4)]
    easel.solid(outline(bed, 4), cork, "canvas", volume=0.7)
    easel.solid(outline([(8, 84.4), (93, 82.4), (93, 88), (9, 89)], 2), darker(cork, 0.5), "rubber", volume=0.4)
    lift = -12 if wedge else 0
    if silhouette == "flip-flop":
        easel.part(outline([(84, 76), (80, 68, 6), (46, 62, 20), (38, 76), (46, 79), (60, 70, 12), (78, 78)], 3))
        easel.part(outline([(10, 73), (36, 75), (92, 76), (92, 81), (10, 80)], 2), volume=0.5)
        return
    easel.part(outline([(58, 79), (62, 60, 9), (74, 58, 9), (87, 68, 6), (88, 78)], 3))
    easel.part(outline([(38, 80), (40, 58 + lift * 0.4, 6), (52, 57, 6), (55, 80)], 3))
    heel_strap = [(10, 76 + lift), (11, 50 + lift, 9), (34, 44 + lift, 9), (45, 58), (41, 62), (32, 52 + lift, 9), (17, 56 + lift, 6), (18, 76 + lift)]
    easel.part(outline(heel_strap, 3), volume=0.7)
    if silhouette == "gladiator":
        for y in (30, 40):
            easel.part(outline([(13, y + 14), (14, y + 6, 5), (38, y + 2, 5), (40, y + 9), (20, y + 13, 6)], 2), volume=0.6)
        easel.part(outline([(42, 60), (35, 30), (40, 29), (48, 60)], 1), volume=0.5)
    easel.flat(circle(45, 62 + lift * 0.3, 2.2), (0.82, 0.68, 0.36))
    easel.flat(circle(45, 62 + lift * 0.3, 1.1), lighter(cork, 0.2))


KINDS = {
    "sneaker": Kind(sneaker, ("low-top", "high-top", "runner", "court"), ("canvas", "leather", "suede", "knit"), stands=True),
    "boot": Kind(boot, ("chelsea", "lace-up", "knee-high", "rain"), ("leather", "suede", "rubber"), stands=True),
    "heel": Kind(heel, ("stiletto", "block heel", "slingback", "ankle strap", "bow"), ("leather", "suede", "velvet"), stands=True),
    "sandal": Kind(sandal, ("strappy", "wedge", "flip-flop", "gladiator"), ("leather", "suede", "rubber"), stands=True),
}
