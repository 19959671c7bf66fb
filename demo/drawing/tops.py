"""Clothes for the upper body: t-shirts, shirts, sweaters, hoodies, jackets, coats."""

from demo.drawing.kind import Kind
from demo.drawing.painter import Painter
from demo.drawing.palette import darker, lighter, luminance
from demo.drawing.shapes import Points, circle, curve, mirror, outline, rect, shift

__all__ = ["KINDS"]

BRASS = (0.80, 0.66, 0.34)
STEEL = (0.72, 0.74, 0.78)


def _sleeves(painter: Painter, right: Points, *, cuff: Points | None = None) -> None:
    """Draws both sleeves from the right one's outline, and a cuff over each end."""
    for points in (right, [(100 - p[0], *p[1:]) for p in right]):
        painter.part(outline(points, 3))
    if cuff is not None:
        for points in (cuff, [(100 - p[0], *p[1:]) for p in cuff]):
            painter.solid(outline(points, 1), volume=0.5)


def _short_sleeve(drop: float = 0.0) -> Points:
    return [(66, 17), (73, 20, 8), (90, 40 + drop), (78, 47 + drop), (67, 38)]


def _long_sleeve(width: float = 10.0, length: float = 82.0) -> Points:
    return [
        (66, 18),
        (73, 20, 8),
        (83, 48, 20),
        (88, length),
        (88 - width, length + 2),
        (75, 55, 20),
        (67, 40),
    ]


def _cuff(width: float = 10.0, length: float = 82.0, height: float = 5.0) -> Points:
    return [
        (88.4, length - 3),
        (88, length + height - 3),
        (88 - width, length + height - 1),
        (87 - width, length - 1),
    ]


def _body(painter: Painter, *, neck: float, hem: float, width: float, depth: float) -> Points:
    waist = painter.vary(width, 0.03)
    right = [
        (50, depth, 12),
        (50 + neck, 15, 3),
        (70, 19, 5),
        (50 + width - 1, 40, 8),
        (50 + waist, 62, 20),
    ]
    return mirror([*right, (50 + width, hem, 3), (50, hem + 1, 30)])


def _neck(painter: Painter, *, neck: float, depth: float, band: float) -> None:
    """Draws the inside of the back, then (over the body, by the caller's order) the band of the
    neckline."""
    painter.hollow(
        outline(mirror([(50, 14), (50 + neck, 14.5), (50 + neck, 17), (50, depth + 3, 12)]), 2)
    )
    if band:
        painter.stroke(
            curve([(50 - neck, 14.6), (50, 18.5), (50 + neck, 14.6)]), band, painter.trim
        )


def _neckline(painter: Painter, *, neck: float, depth: float, band: float) -> None:
    points = [(50 - neck, 15), (50, depth + 0.4, 12), (50 + neck, 15)]
    painter.stroke(curve(points, 12), band + 0.7)
    painter.stroke(curve(points, 12), band, painter.trim)


def _buttons(painter: Painter, top: float, bottom: float, count: int, x: float = 50.0) -> None:
    light = luminance(painter.palette.base) < 0.65
    color = (0.93, 0.92, 0.9) if light else darker(painter.palette.base, 0.55)
    for i in range(count):
        y = top + (bottom - top) * i / (count - 1)
        painter.shade(circle(x + 0.3, y + 0.4, 1.3), 0.4, 0.4)
        painter.flat(circle(x, y, 1.2), color)


def t_shirt(painter: Painter, silhouette: str) -> None:
    neck, depth = {"v-neck": (8, 30), "scoop": (10, 27)}.get(silhouette, (8, 21))
    width = {"boxy": 23, "fitted": 17.5}.get(silhouette, 20)
    hem = {"boxy": 76, "cropped": 64}.get(silhouette, 85)
    _neck(painter, neck=neck, depth=depth, band=1.8)
    _sleeves(painter, _short_sleeve(4 if silhouette == "boxy" else 0))
    painter.part(outline(_body(painter, neck=neck, hem=hem, width=width, depth=depth)))
    _neckline(painter, neck=neck, depth=depth, band=2.2)
    painter.seam([(50 - width, hem - 3), (50, hem - 2, 30), (50 + width, hem - 3)])
    if silhouette == "pocket":
        painter.part(outline([(54, 38), (64, 38), (64, 48), (59, 51), (54, 48)]), volume=0.4)


def long_sleeve(painter: Painter, silhouette: str) -> None:
    neck, depth = {"v-neck": (8, 29), "henley": (7.5, 21)}.get(silhouette, (8, 21))
    if silhouette == "turtleneck":
        painter.part(rect(41, 7, 59, 21, 4), volume=0.7)
        painter.line([(42, 12), (50, 13.5), (58, 12)], 0.6)
    else:
        _neck(painter, neck=neck, depth=depth, band=1.8)
    _sleeves(painter, _long_sleeve(9), cuff=_cuff(9, height=3))
    painter.part(
        outline(
            _body(
                painter,
                neck=neck,
                hem=84,
                width=19,
                depth=17 if silhouette == "turtleneck" else depth,
            )
        )
    )
    if silhouette != "turtleneck":
        _neckline(painter, neck=neck, depth=depth, band=2.2)
    if silhouette == "henley":
        painter.solid(rect(47.6, 22, 52.4, 40, 0.8), volume=0.4)
        _buttons(painter, 25, 36, 3)
    painter.seam([(31, 81), (50, 82), (69, 81)])


def shirt(painter: Painter, silhouette: str) -> None:
    hem = 86
    painter.hollow(outline(mirror([(50, 11), (58, 12), (59, 20), (50, 27)]), 2))
    if silhouette == "short-sleeve":
        _sleeves(painter, _short_sleeve(2))
    else:
        _sleeves(painter, _long_sleeve(9), cuff=_cuff(9.4, height=6))
    painter.part(outline(_body(painter, neck=8.5, hem=hem, width=20, depth=25)))
    painter.line([(48, 26), (48, hem)], 0.6, alpha=0.7)
    painter.line([(52, 26), (52, hem)], 0.6, alpha=0.7)
    _buttons(painter, 31, 80, 6)
    collar = [(50, 26), (58, 12), (61.5, 16), (58.5, 29)]
    if silhouette == "band collar":
        painter.stroke(curve([(41.5, 14), (50, 27, 9), (58.5, 14)], 9), 4.4)
        painter.stroke(curve([(41.5, 14), (50, 27, 9), (58.5, 14)], 9), 3.6, painter.trim)
    else:
        for points in (collar, [(100 - x, y) for x, y in collar]):
            painter.part(outline(points, 1), volume=0.4)
    if silhouette == "chest pocket":
        painter.part(outline([(56, 40), (66, 40), (66, 51), (61, 53.5), (56, 51)], 1), volume=0.35)


def _ribs(painter: Painter, left: float, top: float, right: float, bottom: float) -> None:
    painter.solid(rect(left, top, right, bottom, 2), volume=0.6)
    x = left + 2.0
    while x < right - 1:
        painter.line([(x, top + 0.6), (x, bottom - 0.6)], 0.5, alpha=0.4)
        x += 2.2


def sweater(painter: Painter, silhouette: str) -> None:
    depth = 29 if silhouette in ("v-neck", "cardigan") else 21
    if silhouette == "turtleneck":
        _ribs(painter, 40, 6, 60, 22)
    else:
        _neck(painter, neck=9, depth=depth, band=3.2)
    _sleeves(painter, _long_sleeve(12, 80), cuff=_cuff(12, 80, 7))
    painter.part(
        outline(
            _body(
                painter, neck=9, hem=80, width=22, depth=17 if silhouette == "turtleneck" else depth
            )
        )
    )
    _ribs(painter, 28.5, 77, 71.5, 85)
    if silhouette != "turtleneck":
        _neckline(painter, neck=9, depth=depth, band=3.6)
    if silhouette == "cardigan":
        painter.solid(rect(47.5, depth, 52.5, 85, 1), volume=0.4)
        _buttons(painter, depth + 5, 81, 5)
    if silhouette == "cable":
        for x in (39, 50, 61):
            for y in range(30, 72, 6):
                painter.line([(x - 2, y), (x + 2, y + 3, 2), (x - 2, y + 6)], 0.8, alpha=0.6)
                painter.line([(x + 2, y), (x - 2, y + 3, 2), (x + 2, y + 6)], 0.8, alpha=0.6)


def hoodie(painter: Painter, silhouette: str) -> None:
    painter.part(outline(mirror([(50, 3, 12), (63, 8, 12), (66, 20, 6), (56, 27, 6), (50, 29)]), 6))
    painter.hollow(outline(mirror([(50, 8, 12), (58, 11, 10), (59, 20, 6), (50, 29, 3)]), 6))
    _sleeves(painter, _long_sleeve(12, 80), cuff=_cuff(12, 80, 6))
    painter.part(outline(_body(painter, neck=9, hem=81, width=22, depth=28)))
    _ribs(painter, 28.5, 78, 71.5, 85)
    if silhouette == "zip":
        painter.line([(50, 28), (50, 85)], 1.8)
        painter.line([(50, 28), (50, 85)], 1.0, STEEL)
        for points in (
            [(48.5, 60), (38, 60), (34, 74), (48.5, 74)],
            [(51.5, 60), (62, 60), (66, 74), (51.5, 74)],
        ):
            painter.part(outline(points), volume=0.4)
    else:
        painter.part(
            outline([(40, 58), (60, 58), (66, 70), (66, 75), (34, 75), (34, 70)]), volume=0.5
        )
    cord = (
        lighter(painter.palette.base, 0.75)
        if luminance(painter.palette.base) < 0.6
        else darker(painter.palette.base, 0.5)
    )
    for x in (45.5, 54.5):
        painter.line([(x, 26), (x - 0.5, 36), (x + 0.6, 46)], 1.3, cord)


def _lapels(painter: Painter, depth: float, wide: float) -> None:
    right = [(50, depth), (56, 13), (60, 14), (60 + wide, 27), (57 + wide, 30), (59 + wide, 33)]
    for points in (right, [(100 - x, y) for x, y in right]):
        painter.solid(outline(points, 1), painter.palette.base, volume=0.5)


def jacket(painter: Painter, silhouette: str) -> None:
    hem, width = {
        "bomber": (78, 23),
        "trucker": (78, 20),
        "puffer": (80, 24),
        "biker": (76, 20),
    }.get(silhouette, (86, 21))
    depth = 46 if silhouette == "blazer" else 24
    painter.hollow(outline(mirror([(50, 13), (58, 13), (60, 20), (50, depth + 4)]), 2))
    _sleeves(
        painter,
        _long_sleeve(13 if silhouette in ("bomber", "puffer") else 11, 81),
        cuff=_cuff(12, 81, 5),
    )
    painter.part(outline(_body(painter, neck=8.5, hem=hem, width=width, depth=depth)))
    if silhouette == "blazer":
        _lapels(painter, depth, 6)
        painter.line([(50, depth), (50, hem)], 0.9)
        _buttons(painter, 54, 64, 2, 52)
        for x in (35, 56):
            painter.part(rect(x, 66, x + 9, 69.5, 0.6), volume=0.4)
        return
    if silhouette == "puffer":
        for y in range(30, 80, 9):
            painter.fold([(50 - width, y - 1), (50, y + 1), (50 + width, y - 1)], 1.8)
            painter.line(
                [(50 - width + 1, y - 1), (50, y + 1), (50 + width - 1, y - 1)], 0.6, alpha=0.6
            )
    painter.line([(50, 24), (50, hem)], 2.2)
    painter.line([(50, 24), (50, hem)], 1.1, BRASS if silhouette == "trucker" else STEEL)
    collar = [(50, 25), (57.5, 11), (63, 15), (59, 28)]
    for points in (collar, [(100 - x, y) for x, y in collar]):
        painter.solid(outline(points, 1.5), volume=0.5)
    if silhouette == "bomber":
        _ribs(painter, 28, 75, 72, 83)
    if silhouette == "trucker":
        for x in (36, 55):
            painter.part(
                outline([(x, 38), (x + 9, 38), (x + 9, 43), (x + 4.5, 46), (x, 43)], 0.6),
                volume=0.4,
            )
        _buttons(painter, 30, 72, 6, 52.4)
        painter.seam([(31, 35), (49, 35)])
        painter.seam([(51, 35), (69, 35)])
    if silhouette == "biker":
        painter.line([(54, 27), (66, 46)], 1.2, STEEL)
        painter.line([(35, 60), (42, 64)], 1.2, STEEL)
        painter.line([(65, 60), (58, 64)], 1.2, STEEL)


def coat(painter: Painter, silhouette: str) -> None:
    painter.hollow(outline(mirror([(50, 8), (57, 8), (59, 15), (50, 36)]), 2))
    sleeve = [(64, 11), (70, 13, 8), (78, 40, 20), (81, 66), (71, 68), (70, 45, 20), (64, 32)]
    _sleeves(painter, sleeve, cuff=shift([(81.3, 62), (81.5, 67), (71, 69), (70.6, 64)], 0))
    flare = {"a-line": 24, "duffle": 20}.get(silhouette, 19)
    right = [
        (50, 34, 2),
        (57, 9, 3),
        (67, 13, 5),
        (66, 34, 8),
        (65, 48, 12),
        (50 + flare, 94, 3),
        (50, 95, 30),
    ]
    painter.part(outline(mirror(right)))
    painter.line([(50, 34), (51, 94)], 0.9)
    if silhouette == "trench":
        _lapels_coat(painter)
        painter.solid(rect(34.5, 49, 65.5, 54, 1), volume=0.5)
        painter.solid(rect(47, 48, 54, 55, 1), BRASS, "metal", volume=0.5)
        for x in (44, 56):
            _buttons(painter, 38, 46, 2, x)
            _buttons(painter, 60, 70, 2, x)
    elif silhouette == "duffle":
        painter.part(
            outline(mirror([(50, 3, 8), (60, 6, 8), (62, 14, 4), (50, 22)]), 5), volume=0.7
        )
        for y in (34, 46, 58):
            painter.line([(43, y), (57, y)], 1.2, (0.55, 0.36, 0.2))
            painter.line([(47, y), (53, y)], 2.6, (0.72, 0.52, 0.3))
    else:
        _lapels_coat(painter)
        _buttons(painter, 44, 76, 4, 53)
    for points in (
        [(37, 62), (44, 60), (44.6, 62.4), (37.4, 64.4)],
        [(63, 62), (56, 60), (55.4, 62.4), (62.6, 64.4)],
    ):
        painter.part(outline(points, 0.6), volume=0.4)


def _lapels_coat(painter: Painter) -> None:
    right = [(50, 36), (55.5, 8), (60, 9), (66, 21), (62, 23.5), (64, 27)]
    for points in (right, [(100 - x, y) for x, y in right]):
        painter.solid(outline(points, 1), painter.palette.base, volume=0.5)


KINDS = {
    "t-shirt": Kind(
        t_shirt, ("crew neck", "v-neck", "scoop", "boxy", "cropped", "pocket"), ("cotton", "linen")
    ),
    "long-sleeve shirt": Kind(
        long_sleeve, ("crew neck", "v-neck", "henley", "turtleneck"), ("cotton", "linen")
    ),
    "shirt": Kind(
        shirt,
        ("button-down", "short-sleeve", "chest pocket", "band collar"),
        ("cotton", "linen", "denim", "silk"),
    ),
    "sweater": Kind(
        sweater, ("crew neck", "v-neck", "turtleneck", "cardigan", "cable"), ("knit", "wool")
    ),
    "hoodie": Kind(hoodie, ("pullover", "zip"), ("cotton", "wool")),
    "jacket": Kind(
        jacket,
        ("bomber", "trucker", "blazer", "puffer", "biker"),
        ("nylon", "denim", "leather", "wool", "suede"),
    ),
    "coat": Kind(coat, ("trench", "a-line", "duffle", "overcoat"), ("wool", "cotton", "velvet")),
}
