"""Things for the table and the house."""

import math

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import darker, lighter, luminance
from demo.drawing.shapes import band, circle, mirror, outline, oval, rect

__all__ = ["KINDS"]

BRASS = (0.80, 0.66, 0.36)
STEEL = (0.74, 0.76, 0.80)


def mug(painter: Painter, silhouette: str) -> None:
    tall = silhouette == "latte"
    top, width = (14, 23) if tall else (24, 27)
    if silhouette == "camp":
        top, width = 28, 29
    right = 44 + width
    painter.part(
        band(
            [
                (right - 4, top + 14),
                (right + 20, top + 12, 14),
                (right + 20, 68, 14),
                (right - 6, 70),
            ],
            7.6,
            14,
        ),
        volume=0.8,
    )
    foot = {"latte": 17, "camp": 28, "round": 15}.get(silhouette, 25)
    bulge = 30 if silhouette == "round" else width
    body = [
        (44 - width, top),
        (44 + width, top),
        (44 + bulge, 58, 22),
        (44 + foot, 86, 6),
        (44, 89, 30),
        (44 - foot, 86, 6),
        (44 - bulge, 58, 22),
    ]
    painter.part(outline(body, 1.5))
    rim = oval(44, top, width, 5.6)
    painter.solid(rim, lighter(painter.palette.base, 0.25), volume=0.4)
    painter.hollow(oval(44, top + 0.4, width - 2.2, 4.2))
    if painter.rng.random() < 0.4:
        painter.flat(oval(44, top + 1.4, width - 4.5, 3.0), (0.30, 0.18, 0.10))
    if silhouette == "camp":
        painter.stroke(oval(44, top, width, 5.6), 1.5, darker(painter.palette.base, 0.5))


def bottle(painter: Painter, silhouette: str) -> None:
    if silhouette == "wine":
        right = [(50, 14), (55, 14), (55, 34, 6), (64, 48, 8), (64, 93, 3), (50, 94)]
        painter.part(outline(mirror(right), 2))
        painter.solid(rect(44.4, 8, 55.6, 22, 1.5), volume=0.6)
        if painter.pattern == "plain":
            painter.flat(rect(40, 64, 60, 80, 1), (0.95, 0.93, 0.86))
            painter.line([(43, 69), (57, 69)], 1.2, (0.3, 0.25, 0.2))
            painter.line([(45, 74.5), (55, 74.5)], 0.8, (0.3, 0.25, 0.2))
        return
    if silhouette == "sport":
        painter.part(
            outline(
                mirror(
                    [
                        (50, 30),
                        (63, 30, 5),
                        (66, 48, 9),
                        (62, 60, 9),
                        (66, 74, 9),
                        (65, 93, 5),
                        (50, 94),
                    ]
                ),
                3,
            )
        )
        painter.solid(rect(37, 20, 63, 32, 3), volume=0.7)
        painter.solid(rect(45, 8, 55, 21, 3), darker(painter.trim, 0.15), "plastic", volume=0.7)
        return
    wide = 17 if silhouette == "flask" else 14
    painter.part(
        outline(
            mirror([(50, 26), (58, 26, 3), (50 + wide, 36, 7), (50 + wide, 92, 4), (50, 94)]), 3
        )
    )
    painter.solid(
        rect(41, 9, 59, 27, 2.5),
        STEEL if painter.pattern == "plain" else painter.trim,
        "metal",
        volume=0.8,
    )
    for y in (14, 18, 22):
        painter.line([(42, y), (58, y)], 0.6, alpha=0.5)
    if silhouette == "flask":
        painter.line(
            [(58, 12), (70, 14, 7), (70, 30, 7), (64, 34)], 2.6, darker(painter.palette.base, 0.35)
        )


def vase(painter: Painter, silhouette: str) -> None:
    outlines = {
        "amphora": [
            (50, 14),
            (60, 14, 2),
            (57, 26, 6),
            (76, 48, 18),
            (64, 84, 10),
            (62, 92, 2),
            (50, 93),
        ],
        "bulb": [(50, 16), (57, 16, 2), (55, 42, 8), (80, 62, 20), (66, 91, 9), (50, 92)],
        "cylinder": [(50, 14), (67, 14, 2), (65, 50, 20), (67, 91, 4), (50, 93)],
        "trumpet": [(50, 12), (74, 12, 2), (60, 40, 16), (60, 70, 12), (68, 92, 3), (50, 93)],
    }
    right = outlines[silhouette]
    if painter.rng.random() < 0.45:
        _stems(painter, right[0][1])
    painter.part(outline(mirror(right), 3))
    mouth = right[1][0] - 50
    painter.solid(oval(50, right[0][1], mouth, 2.8), lighter(painter.palette.base, 0.2), volume=0.3)
    painter.hollow(oval(50, right[0][1], mouth - 1.6, 1.8))


def _stems(painter: Painter, top: float) -> None:
    for dx in (-7.0, 0.0, 7.0):
        tip = (50 + dx * 1.3, top - painter.vary(9, 0.2))
        painter.line([(50 + dx * 0.3, top + 2), (50 + dx, top - 4), tip], 0.9, (0.30, 0.48, 0.26))
        painter.flat(oval(tip[0], tip[1], 1.8, 3.0), (0.40, 0.58, 0.32))


def lamp(painter: Painter, silhouette: str) -> None:
    metal = BRASS if painter.rng.random() < 0.5 else (0.25, 0.25, 0.27)
    if silhouette == "pendant":
        painter.line([(50, 2), (50, 34)], 1.2, (0.2, 0.2, 0.22))
        painter.flat(oval(50, 71, 29, 6.5), (1.0, 0.94, 0.74))
        painter.part(outline(mirror([(50, 30, 9), (59, 32, 6), (80, 71, 2), (50, 77, 50)]), 3))
        painter.solid(rect(45, 26, 55, 34, 2), metal, "metal", volume=0.5)
        return
    if silhouette == "desk":
        painter.solid(oval(40, 91, 20, 4.6), painter.palette.base)
        for start, end in (((40, 90), (26, 58)), ((26, 58), (52, 30))):
            painter.line([start, end], 4.4)
            painter.line([start, end], 3.2, metal)
        painter.flat(oval(72, 50, 18, 7), (1.0, 0.94, 0.74))
        painter.part(outline([(48, 26, 6), (58, 20, 6), (92, 44, 4), (56, 62, 4)], 4))
        painter.solid(circle(26, 58, 3), painter.palette.base, volume=0.5)
        return
    base_y = 95 if silhouette == "floor" else 90
    shade_bottom = 42 if silhouette == "floor" else 54
    if silhouette == "floor":
        painter.line([(50, 40), (50, 93)], 2.8, metal)
        painter.solid(oval(50, base_y - 2, 17, 3.6), metal, "metal", volume=0.6)
    else:
        painter.solid(
            outline(
                mirror(
                    [
                        (50, 54),
                        (54, 54),
                        (55, 60, 4),
                        (64, 72, 9),
                        (57, 84, 5),
                        (62, 90, 1.5),
                        (50, 91),
                    ]
                ),
                2,
            ),
            painter.trim,
            "ceramic",
        )
    wide = 31 if silhouette == "table" else 27
    top = 12 if silhouette == "table" else 6
    painter.part(
        outline(
            mirror(
                [
                    (50, top),
                    (50 + wide * 0.56, top, 1),
                    (50 + wide, shade_bottom, 1),
                    (50, shade_bottom + 3, 60),
                ]
            ),
            1,
        ),
        volume=0.8,
    )
    painter.glint(oval(50, shade_bottom - 12, wide * 0.5, 10), 0.22, 5)


def clock(painter: Painter, silhouette: str) -> None:
    if silhouette == "alarm":
        for sign in (1, -1):
            painter.solid(oval(50 + sign * 17, 19, 11, 8), painter.trim, "metal", volume=0.7)
            painter.line(
                [(50 + sign * 20, 84), (50 + sign * 25, 93)], 4, darker(painter.palette.base, 0.3)
            )
        painter.line([(50, 8), (50, 18)], 2.4)
    square = silhouette == "square"
    body = rect(13, 15, 87, 89, 6) if square else circle(50, 54, 36)
    painter.part(body)
    face_color = (
        lighter(painter.palette.base, 0.9)
        if luminance(painter.palette.base) < 0.75
        else (0.99, 0.99, 0.97)
    )
    painter.solid(circle(50, 54 if not square else 52, 22.5), face_color, "ceramic", volume=0.35)
    middle = 52 if square else 54
    dark = (0.1, 0.1, 0.12)
    for i in range(12):
        angle = i * math.pi / 6
        dx, dy = math.sin(angle), math.cos(angle)
        inner = 16.5 if i % 3 == 0 else 18.5
        painter.line(
            [(50 + dx * inner, middle - dy * inner), (50 + dx * 20.2, middle - dy * 20.2)],
            1.6 if i % 3 == 0 else 0.9,
            dark,
        )
    hour, minute = painter.rng.uniform(0, 6.28), painter.rng.uniform(0, 6.28)
    painter.line(
        [(50, middle), (50 + 10 * math.sin(hour), middle - 10 * math.cos(hour))], 2.4, dark
    )
    painter.line(
        [(50, middle), (50 + 15 * math.sin(minute), middle - 15 * math.cos(minute))], 1.6, dark
    )
    painter.flat(circle(50, middle, 1.9), (0.8, 0.2, 0.15))


def pillow(painter: Painter, silhouette: str) -> None:
    if silhouette == "round":
        painter.part(circle(50, 52, 36))
        for i in range(12):
            angle = i * math.pi / 6
            painter.fold(
                [
                    (50 + 5 * math.cos(angle), 52 + 5 * math.sin(angle)),
                    (50 + 26 * math.cos(angle), 52 + 26 * math.sin(angle)),
                ],
                1.6,
            )
        painter.solid(circle(50, 52, 3.6), volume=0.6)
        return
    half = 26 if silhouette == "lumbar" else 38
    pts = [
        (11, 52 - half, 3),
        (50, 52 - half + 6, 40),
        (89, 52 - half, 3),
        (84, 52, 40),
        (89, 52 + half, 3),
        (50, 52 + half - 6, 40),
        (11, 52 + half, 3),
        (16, 52, 40),
    ]
    body = outline(pts)
    if silhouette == "tasselled":
        for x, y in ((11, 14), (89, 14), (11, 90), (89, 90)):
            for dx in (-2, 0, 2):
                painter.line(
                    [(x, y), (x + dx + (4 if x > 50 else -4), y + (7 if y > 50 else -7))],
                    1.5,
                    painter.trim,
                )
    painter.part(body)
    painter.stroke(body, 1.5, painter.trim)
    for x, y, dx, dy in (
        (16, 60 - half, 12, 10),
        (84, 60 - half, -12, 10),
        (16, 45 + half, 12, -10),
        (84, 45 + half, -12, -10),
    ):
        painter.fold([(x, y), (x + dx * 0.6, y + dy * 0.4), (x + dx, y + dy)], 2.2)


KINDS = {
    "mug": Kind(
        mug, ("classic", "latte", "camp", "round"), ("ceramic", "metal", "glass"), stands=True
    ),
    "bottle": Kind(
        bottle, ("flask", "slim", "sport", "wine"), ("metal", "plastic", "glass"), stands=True
    ),
    "vase": Kind(
        vase, ("amphora", "bulb", "cylinder", "trumpet"), ("ceramic", "glass", "metal"), stands=True
    ),
    "lamp": Kind(
        lamp,
        ("table", "floor", "desk", "pendant"),
        ("linen", "metal", "cotton"),
        stands=True,
        hung=("pendant",),
    ),
    "clock": Kind(clock, ("wall", "square", "alarm"), ("wood", "plastic", "metal")),
    "pillow": Kind(
        pillow, ("square", "round", "lumbar", "tasselled"), ("cotton", "linen", "velvet", "knit")
    ),
}
