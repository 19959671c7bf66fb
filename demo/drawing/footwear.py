"""Shoes, seen from the side."""

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import RGB, darker, luminance, shadow_of
from demo.drawing.shapes import band, circle, curve, outline, rect

__all__ = ["KINDS"]

RUBBER_WHITE: RGB = (0.95, 0.95, 0.93)
LACE: RGB = (0.96, 0.96, 0.95)


def _lace_color(painter: Painter) -> RGB:
    return LACE if luminance(painter.palette.base) < 0.7 else darker(painter.palette.base, 0.45)


def sneaker(painter: Painter, silhouette: str) -> None:
    high = silhouette == "high-top"
    top = 24 if high else 42
    painter.hollow(outline([(17, top - 1), (40, top), (44, top + 9), (18, top + 8)], 5))
    upper = [
        (14, 70),
        (13, 55, 10),
        (15, top, 4),
        (24, top + 5, 8),
        (40, top + 1, 3),
        (50, 50, 9),
        (66, 58, 12),
        (88, 61, 14),
        (92, 72, 6),
        (90, 74),
    ]
    painter.part(outline(upper, 3))
    for patch in (
        [(72, 59), (88, 61, 14), (92, 73, 6), (74, 74), (70, 66, 6)],
        [(13.6, 56), (20, 50, 5), (25, 62, 5), (24, 74), (14, 74)],
    ):
        painter.solid(outline(patch, 3), painter.palette.base, volume=0.7)
    _laces(painter, top, high=high)
    _stripe(painter, silhouette)
    sole_top = 73 if silhouette != "runner" else 71
    sole = [
        (12, sole_top),
        (50, sole_top + 2, 30),
        (92, sole_top, 6),
        (94, 79, 8),
        (88, 82),
        (14, 82),
        (10, 79, 5),
    ]
    painter.solid(outline(sole, 3), RUBBER_WHITE, "rubber", volume=0.6)
    painter.line([(12, 80.4), (50, 81, 30), (93, 79.4)], 0.9, painter.trim)


def _laces(painter: Painter, top: float, *, high: bool) -> None:
    painter.solid(
        outline(
            [
                (39, top + 1),
                (44, top + 4, 4),
                (52, 50, 6),
                (65, 58),
                (58, 62),
                (45, 55, 6),
                (36, top + 9),
            ],
            2,
        ),
        volume=0.5,
    )
    count = 6 if high else 4
    for i in range(count):
        share = i / (count - 1)
        x, y = 40 + 21 * share, (top + 5) + (57 - top - 5) * share
        if high and share < 0.6:
            x = 40 + 8 * share / 0.6
        painter.line([(x - 3, y + 4), (x + 3.4, y - 1.4)], 1.7, _lace_color(painter))


def _stripe(painter: Painter, silhouette: str) -> None:
    if silhouette == "runner":
        painter.solid(
            outline([(24, 66), (34, 68, 9), (56, 60), (36, 72, 9), (26, 71)], 1), volume=0.3
        )
    elif silhouette == "high-top":
        painter.solid(circle(27, 47, 5), volume=0.4)
    elif silhouette == "low-top":
        for x in (29, 35, 41):
            painter.line([(x + 6, 55), (x, 69)], 2.2, painter.trim)


def boot(painter: Painter, silhouette: str) -> None:
    top = {"knee-high": 6, "chelsea": 30, "rain": 14}.get(silhouette, 22)
    painter.hollow(outline([(23, top - 1), (49, top - 1), (49, top + 6), (23, top + 6)], 4))
    slim = 3.0 if silhouette == "knee-high" else 0.0
    shaft = [
        (22, top + 1, 2),
        (36, top + 3, 12),
        (50, top + 1, 2),
        (50 - slim, 52, 6),
        (56, 60, 8),
        (74, 64, 12),
        (86, 74, 9),
        (86, 84),
        (23, 84),
        (24, 66, 9),
    ]
    painter.part(outline(shaft, 3))
    if silhouette == "chelsea":
        painter.solid(
            outline([(32, top + 4), (42, top + 4), (40, 58, 3), (34, 58, 3)], 1),
            darker(painter.palette.base, 0.4),
            "knit",
            volume=0.4,
        )
        painter.line([(22.5, top + 2), (20, top - 5), (26, top - 5), (26, top + 3)], 1.3)
    elif silhouette == "lace-up":
        painter.line([(47, top + 3), (46, 54), (60, 64)], 0.9)
        for i in range(7):
            share = i / 6
            y = top + 6 + (60 - top - 6) * share
            x = 47.5 if share < 0.7 else 47.5 + (share - 0.7) * 26
            painter.line([(x - 3.4, y + 1.6), (x + 2.6, y - 1.6)], 1.5, _lace_color(painter))
    elif silhouette == "rain":
        painter.glint(outline([(27, 22), (30, 22), (31, 58), (28, 58)], 1), 0.6)
        painter.solid(rect(21.6, top, 50.4, top + 5, 1.6), volume=0.5)
    else:
        painter.fold([(26, 56), (36, 60), (50, 56)], 2)
        painter.fold([(25, 62), (36, 66), (52, 60)], 2)
    painter.line([(64, 64), (62, 74), (66, 83)], 0.7, alpha=0.6)
    sole = (
        darker(shadow_of(painter.palette.base), 0.1)
        if luminance(painter.palette.base) > 0.2
        else (0.3, 0.24, 0.2)
    )
    painter.solid(
        outline([(22, 82), (87, 82), (88, 88), (48, 88), (46, 94), (22, 94)], 1.4),
        sole,
        "rubber",
        volume=0.4,
    )


def heel(painter: Painter, silhouette: str) -> None:
    block = silhouette == "block heel"
    post = (
        [(13, 50), (27, 56), (24, 88), (14, 88)]
        if block
        else [(13, 46), (24, 56, 4), (15.6, 89), (12.6, 89)]
    )
    painter.solid(outline(post, 2), volume=0.7)
    if silhouette == "slingback":
        painter.line([(20, 42), (10, 40), (13, 50)], 2.6)
        painter.line([(20, 42), (10, 40), (13, 50)], 1.8, painter.palette.base)
    painter.hollow(
        outline(
            [(14, 36), (24, 42, 8), (46, 62, 12), (62, 66, 8), (64, 74), (40, 72, 10), (16, 54)], 5
        )
    )
    body = [
        (12, 33, 4),
        (18, 42, 6),
        (40, 64, 14),
        (58, 70, 8),
        (67, 63, 9),
        (80, 68, 10),
        (93, 82, 8),
        (90, 88, 4),
        (62, 88, 10),
        (44, 80, 14),
        (28, 62, 12),
        (14, 58, 6),
    ]
    painter.part(outline(body, 3))
    painter.solid(
        outline(
            [
                (30, 63),
                (44, 80, 12),
                (62, 87.4, 8),
                (91, 87.4),
                (91, 90),
                (60, 90, 9),
                (42, 83, 12),
            ],
            1.4,
        ),
        darker(painter.palette.base, 0.45),
        "leather",
        volume=0.3,
    )
    if silhouette == "ankle strap":
        painter.line([(15, 38), (28, 32, 9), (38, 42, 6), (30, 54)], 3.0)
        painter.line([(15, 38), (28, 32, 9), (38, 42, 6), (30, 54)], 2.1, painter.palette.base)
        painter.flat(circle(33, 37, 1.8), (0.8, 0.66, 0.34))
    if silhouette == "bow":
        for sign in (1, -1):
            painter.solid(
                outline([(74, 67), (74 + sign * 8, 62), (74 + sign * 8, 71)], 2), volume=0.5
            )
        painter.solid(circle(74, 67, 2.0), volume=0.5)


def sandal(painter: Painter, silhouette: str) -> None:
    if silhouette == "flip-flop":
        _flip_flops(painter)
        return
    wedge = silhouette == "wedge"
    heel_y = 56.0 if wedge else 76.0
    block = [
        (8, heel_y + 3),
        (30, heel_y + 6, 14),
        (60, 80, 16),
        (92, 79, 8),
        (93, 87, 4),
        (10, 88, 3),
    ]
    if wedge:
        painter.part(outline(block, 3), volume=0.7)
        painter.solid(
            outline([(9, 83), (60, 83.4), (93, 82), (93, 87.4, 4), (10, 88.4, 3)], 1),
            (0.72, 0.54, 0.35),
            "canvas",
            volume=0.4,
        )
    else:
        painter.solid(outline(block, 3), darker(painter.palette.base, 0.5), "rubber", volume=0.7)
    if silhouette == "slide":
        painter.hollow(outline([(42, 79), (46, 52, 12), (60, 50, 9), (60, 79)], 3))
        painter.part(outline([(40, 80), (47, 50, 14), (66, 48, 12), (84, 64, 12), (88, 80)], 3))
    else:
        _straps(painter, silhouette, heel_y)
    bed = [
        (6, heel_y - 1),
        (30, heel_y + 2, 14),
        (60, 76, 16),
        (93, 74, 6),
        (94, 80, 4),
        (60, 82, 16),
        (28, heel_y + 8, 14),
        (7, heel_y + 5),
    ]
    painter.part(outline(bed, 2), volume=0.5)


def _straps(painter: Painter, silhouette: str, heel_y: float) -> None:
    ankle = heel_y - 36
    far = darker(painter.palette.base, 0.4)
    loops = [
        [(70, 78), (71, 56, 9), (84, 58, 9), (88, 77)],
        [(48, 79), (50, 52, 9), (64, 52, 9), (69, 78)],
    ]
    if silhouette == "gladiator":
        loops.append([(30, 79), (32, 50, 9), (45, 50, 9), (50, 79)])
    for points in loops:
        painter.solid(
            band([(p[0] + 3.4, p[1] - 1.5, *p[2:]) for p in points[1:]], 3.4), far, volume=0.5
        )
        painter.part(band(points, 6.4), volume=0.8)
    if silhouette == "gladiator":
        painter.part(band([(61, 54), (48, 46, 6), (40, ankle + 4)], 4.4), volume=0.6)
        painter.part(band([(11, ankle + 20), (42, ankle + 22)], 4.4), volume=0.6)
    back = [(8, heel_y), (9, ankle, 5), (14, ankle - 2, 4), (15, heel_y - 16, 6), (26, heel_y + 2)]
    painter.part(outline(back, 3), volume=0.7)
    painter.solid(
        band([(12, ankle + 2), (26, ankle - 6, 12), (40, ankle + 2)], 3.4), far, volume=0.5
    )
    painter.part(band([(11, ankle + 3), (27, ankle + 8, 12), (41, ankle + 2)], 6.4), volume=0.7)
    painter.flat(rect(24, ankle + 1.6, 31, ankle + 9.6, 1.4), (0.82, 0.68, 0.36))
    painter.flat(rect(25.8, ankle + 3.4, 29.2, ankle + 7.8, 0.6), painter.palette.base)


def _flip_flops(painter: Painter) -> None:
    strap = darker(painter.trim, 0.15) if painter.pattern == "plain" else painter.trim
    for dx, turn in ((-20, 1), (20, -1)):
        middle = 50 + dx
        sole = [
            (middle - turn * 4, 10, 14),
            (middle + turn * 15, 14, 14),
            (middle + turn * 12, 52, 20),
            (middle + turn * 11, 90, 12),
            (middle - turn * 11, 90, 12),
            (middle - turn * 13, 56, 20),
            (middle - turn * 15, 22, 14),
        ]
        painter.part(outline(sole, 12))
        for end in (-13.4, 12.6):
            points = [(middle + turn * 1, 27), (middle + end * 0.8, 40, 9), (middle + end, 56)]
            painter.stroke(curve(points), 5.4)
            painter.stroke(curve(points), 4.4, strap)
        painter.flat(circle(middle + turn * 1, 27, 2.6), strap)


KINDS = {
    "sneaker": Kind(
        sneaker,
        ("low-top", "high-top", "runner", "court"),
        ("canvas", "leather", "suede", "knit"),
        stands=True,
    ),
    "boot": Kind(
        boot,
        ("chelsea", "lace-up", "knee-high", "rain"),
        ("leather", "suede", "rubber"),
        stands=True,
    ),
    "heel": Kind(
        heel,
        ("stiletto", "block heel", "slingback", "ankle strap", "bow"),
        ("leather", "suede", "velvet"),
        stands=True,
    ),
    "sandal": Kind(
        sandal,
        ("strappy", "wedge", "flip-flop", "slide", "gladiator"),
        ("leather", "suede", "rubber"),
        stands=True,
        hung=("flip-flop",),
    ),
}
