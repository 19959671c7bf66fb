"""Toys."""

import math

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import darker, lighter, luminance
from demo.drawing.shapes import circle, outline, oval, rect

__all__ = ["KINDS"]

TYRE = (0.12, 0.12, 0.13)
GLASS = (0.70, 0.85, 0.93)


def toy_car(painter: Painter, silhouette: str) -> None:
    if silhouette == "truck":
        painter.part(rect(8, 30, 62, 72, 3))
        painter.part(outline([(64, 42), (80, 42, 4), (91, 56, 4), (93, 72), (64, 72)], 3))
        painter.solid(
            outline([(70, 46), (79, 46), (86, 57), (70, 57)], 1.5), GLASS, "glass", volume=0.3
        )
    elif silhouette == "racer":
        painter.part(
            outline(
                [
                    (6, 62),
                    (16, 52, 6),
                    (40, 50, 6),
                    (52, 44, 6),
                    (62, 54, 6),
                    (94, 62, 5),
                    (94, 72),
                    (8, 72),
                ],
                3,
            )
        )
        painter.solid(rect(6, 40, 18, 45, 1.4), volume=0.6)
        painter.line([(11, 45), (13, 54)], 2)
        painter.solid(circle(47, 45, 5.5), volume=0.8)
        painter.flat(circle(40, 61, 5.2), (0.96, 0.96, 0.94))
    else:
        roof = (
            [(20, 54), (30, 32, 8), (62, 32, 8), (74, 52)]
            if silhouette == "sedan"
            else [(12, 54), (16, 28, 7), (66, 28, 7), (76, 52)]
        )
        painter.part(outline([*roof, (90, 54, 7), (95, 66, 5), (94, 74), (6, 74), (5, 58, 5)], 4))
        top = roof[1][1] + 4
        for points in (
            [(26, 51), (33, top), (45, top), (45, 51)],
            [(49, 51), (49, top), (60, top), (67, 51)],
        ):
            painter.solid(outline(points, 2), GLASS, "glass", volume=0.3)
        painter.line([(47, 34), (47, 72)], 0.8)
    painter.solid(rect(5, 70, 95, 76, 2), volume=0.4)
    painter.flat(oval(91.5, 62, 2.2, 3), (1.0, 0.93, 0.6))
    for x in (26, 74):
        painter.solid(circle(x, 76, 11), TYRE, "rubber", volume=0.6)
        painter.solid(circle(x, 76, 5.2), (0.85, 0.85, 0.87), "metal", volume=0.5)


def teddy_bear(painter: Painter, silhouette: str) -> None:
    base = painter.palette.base
    snout = lighter(base, 0.5) if luminance(base) < 0.75 else darker(base, 0.12)
    for sign in (1, -1):
        painter.part(circle(50 + sign * 19, 17, 9))
        painter.solid(circle(50 + sign * 19, 17.6, 4.6), snout, volume=0.5)
    for sign in (1, -1):
        arm = [
            (50 + sign * 18, 50),
            (50 + sign * 38, 58, 9),
            (50 + sign * 36, 72, 8),
            (50 + sign * 18, 66),
        ]
        if silhouette == "hugging":
            arm = [
                (50 + sign * 18, 48),
                (50 + sign * 40, 44, 9),
                (50 + sign * 42, 56, 8),
                (50 + sign * 18, 62),
            ]
        painter.part(outline(arm, 8))
    painter.part(oval(50, 67, 24, 25))
    if painter.pattern == "plain":
        painter.solid(oval(50, 69, 14, 16), snout, volume=0.5)
    for sign in (1, -1):
        painter.part(oval(50 + sign * 22, 87, 12, 9.5))
        painter.solid(oval(50 + sign * 24, 87.6, 6.4, 5.4), snout, volume=0.4)
    painter.part(oval(50, 31, 24, 21))
    painter.solid(oval(50, 38.5, 10.5, 8.2), snout, volume=0.5)
    for sign in (1, -1):
        painter.flat(circle(50 + sign * 9.5, 27, 2.7), (0.06, 0.05, 0.05))
        painter.flat(circle(50 + sign * 9.5 + 0.9, 26.2, 0.9), (1, 1, 1))
    painter.flat(oval(50, 35.6, 3.6, 2.5), (0.10, 0.07, 0.06))
    painter.line([(50, 37), (50, 41)], 0.9, (0.1, 0.07, 0.06))
    painter.line([(45.6, 41), (50, 44.4), (54.4, 41)], 0.9, (0.1, 0.07, 0.06))
    if silhouette == "bow tie":
        for sign in (1, -1):
            painter.solid(
                outline([(50, 52), (50 + sign * 12, 47), (50 + sign * 12, 58)], 2),
                painter.palette.accent,
                "silk",
                volume=0.6,
            )
        painter.solid(circle(50, 52.4, 2.8), painter.palette.accent, "silk", volume=0.6)


def ball(painter: Painter, silhouette: str) -> None:
    painter.part(circle(50, 52, 38), volume=1.0)
    ink = painter.palette.ink
    if silhouette == "basketball":
        painter.line([(12, 52), (50, 56, 40), (88, 52)], 1.4, ink)
        painter.line([(50, 14), (46, 52, 40), (50, 90)], 1.4, ink)
        painter.line([(24, 25), (44, 52, 40), (24, 79)], 1.4, ink)
        painter.line([(76, 25), (56, 52, 40), (76, 79)], 1.4, ink)
    elif silhouette == "football":
        panel = painter.trim if painter.pattern != "plain" else ink
        for i in range(6):
            angle = i * 2 * math.pi / 5
            x, y, size = (
                (50, 52, 10.0)
                if i == 5
                else (50 + 29 * math.sin(angle), 52 - 29 * math.cos(angle), 8.5)
            )
            corners = [
                (x + size * math.sin(a), y - size * math.cos(a))
                for a in (
                    k * 2 * math.pi / 5 + (0 if i == 5 else math.pi + angle) for k in range(5)
                )
            ]
            painter.flat(outline(corners, 1), panel)
            if i < 5:
                painter.line(
                    [
                        (50 + 10 * math.sin(angle), 52 - 10 * math.cos(angle)),
                        (50 + 21 * math.sin(angle), 52 - 21 * math.cos(angle)),
                    ],
                    1.0,
                    ink,
                )
    elif silhouette == "baseball":
        thread = painter.palette.accent if painter.pattern == "plain" else ink
        for sign in (1, -1):
            seam = [(50 + sign * 30, 24), (50 + sign * 10, 52, 40), (50 + sign * 30, 80)]
            painter.line(seam, 0.8, ink)
            for i in range(9):
                along = i / 8 * 2 - 1
                x, y = 50 + sign * (20 + 10 * along * along), 52 + 27 * along
                painter.line(
                    [(x - sign * 2.6, y - 1.6), (x, y), (x + sign * 2.4, y - 1.8)], 1.0, thread
                )
    else:
        if painter.pattern == "plain":
            wedge = painter.palette.accent
            for sign in (1, -1):
                painter.flat(
                    outline(
                        [
                            (50, 16),
                            (50 + sign * 24, 22, 9),
                            (50 + sign * 34, 44, 14),
                            (50 + sign * 20, 40, 18),
                        ],
                        2,
                    ),
                    wedge,
                    0.9,
                )
        painter.solid(circle(50, 17, 3), (0.97, 0.97, 0.95), "plastic", volume=0.3)
    painter.glint(oval(38, 32, 9, 6), 0.5, 2.2)
    painter.shade(
        outline([(20, 74), (50, 88, 30), (82, 70), (74, 82, 12), (50, 92, 20), (28, 84, 12)], 8),
        0.16,
        3,
    )


def kite(painter: Painter, silhouette: str) -> None:
    diamond = silhouette == "diamond"
    foot = 74 if diamond else 48
    painter.line(
        [(50, foot), (43, foot + 9), (57, foot + 15), (48, foot + 24)], 1.1, (0.4, 0.38, 0.36)
    )
    for x, y in ((46.8, foot + 7.5), (53.4, foot + 14)):
        for sign in (1, -1):
            painter.solid(
                outline([(x, y), (x + sign * 6, y - 3), (x + sign * 6, y + 3)], 1), volume=0.4
            )
    body = (
        [(50, 4), (82, 34), (50, 76), (18, 34)]
        if diamond
        else [(50, 10), (94, 56, 3), (50, 50), (6, 56, 3)]
    )
    painter.part(outline(body, 1.5))
    painter.line([body[0], (50, body[2][1])], 1.0)
    if diamond:
        painter.line([body[1], body[3]], 1.0)


KINDS = {
    "toy car": Kind(
        toy_car, ("sedan", "van", "truck", "racer"), ("plastic", "metal", "wood"), stands=True
    ),
    "teddy bear": Kind(teddy_bear, ("sitting", "bow tie", "hugging"), ("plush",), stands=True),
    "ball": Kind(
        ball,
        ("beach", "basketball", "football", "baseball"),
        ("plastic", "rubber", "leather"),
        stands=True,
    ),
    "kite": Kind(kite, ("diamond", "delta"), ("nylon", "cotton")),
}
