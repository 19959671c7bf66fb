"""Clothes for the upper body: t-shirts, shirts, sweaters, hoodies, jackets, coats."""

from demo.drawing.easel import Easel
from demo.drawing.kind import Kind
from demo.drawing.palette import darker, lighter, luminance
from demo.drawing.shapes import Points, circle, curve, mirror, outline, rect, shift

__all__ = ["KINDS"]

BRASS = (0.80, 0.66, 0.34)
STEEL = (0.72, 0.74, 0.78)


def _sleeves(easel: Easel, right: Points, *, cuff: Points | None = None) -> None:
    """Draws both sleeves from the right one's outline, and a cuff over each end."""
    for points in (right, [(100 - p[0], *p[1:]) for p in right]):
        easel.part(outline(points, 3))
    if cuff is not None:
        for points in (cuff, [(100 - p[0], *p[1:]) for p in cuff]):
            easel.solid(outline(points, 1), volume=0.5)


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


def _body(easel: Easel, *, neck: float, hem: float, width: float, depth: float) -> Points:
    waist = easel.vary(width, 0.03)
    right = [
        (50, depth, 12),
        (50 + neck, 15, 3),
        (70, 19, 5),
        (50 + width - 1, 40, 8),
        (50 + waist, 62, 20),
    ]
    return mirror([*right, (50 + width, hem, 3), (50, hem + 1, 30)])


def _neck(easel: Easel, *, neck: float, depth: float, band: float) -> None:
    """Draws the inside of the back, then (over the body, by the caller's order) the band of the neckline."""
    easel.hollow(
        outline(mirror([(50, 14), (50 + neck, 14.5), (50 + neck, 17), (50, depth + 3, 12)]), 2)
    )
    if band:
        easel.stroke(curve([(50 - neck, 14.6), (50, 18.5), (50 + neck, 14.6)]), band, easel.trim)


def _neckline(easel: Easel, *, neck: float, depth: float, band: float) -> None:
    points = [(50 - neck, 15), (50, depth + 0.4, 12), (50 + neck, 15)]
    easel.stroke(curve(points, 12), band + 0.7)
    easel.stroke(curve(points, 12), band, easel.trim)


def _buttons(easel: Easel, top: float, bottom: float, count: int, x: float = 50.0) -> None:
    light = luminance(easel.palette.base) < 0.65
    colour = (0.93, 0.92, 0.9) if light else darker(easel.palette.base, 0.55)
    for i in range(count):
        y = top + (bottom - top) * i / (count - 1)
        easel.shade(circle(x + 0.3, y + 0.4, 1.3), 0.4, 0.4)
        easel.flat(circle(x, y, 1.2), colour)


def t_shirt(easel: Easel, silhouette: str) -> None:
    neck, depth = {"v-neck": (8, 30), "scoop": (10, 27)}.get(silhouette, (8, 21))
    width = {"boxy": 23, "fitted": 17.5}.get(silhouette, 20)
    hem = {"boxy": 76, "cropped": 64}.get(silhouette, 85)
    _neck(easel, neck=neck, depth=depth, band=1.8)
    _sleeves(easel, _short_sleeve(4 if silhouette == "boxy" else 0))
    easel.part(outline(_body(easel, neck=neck, hem=hem, width=width, depth=depth)))
    _neckline(easel, neck=neck, depth=depth, band=2.2)
    easel.seam([(50 - width, hem - 3), (50, hem - 2, 30), (50 + width, hem - 3)])
    if silhouette == "pocket":
        easel.part(outline([(54, 38), (64, 38), (64, 48), (59, 51), (54, 48)]), volume=0.4)


def long_sleeve(easel: Easel, silhouette: str) -> None:
    neck, depth = {"v-neck": (8, 29), "henley": (7.5, 21)}.get(silhouette, (8, 21))
    if silhouette == "turtleneck":
        easel.part(rect(41, 7, 59, 21, 4), volume=0.7)
        easel.line([(42, 12), (50, 13.5), (58, 12)], 0.6)
    else:
        _neck(easel, neck=neck, depth=depth, band=1.8)
    _sleeves(easel, _long_sleeve(9), cuff=_cuff(9, height=3))
    easel.part(
        outline(
            _body(
                easel,
                neck=neck,
                hem=84,
                width=19,
                depth=17 if silhouette == "turtleneck" else depth,
            )
        )
    )
    if silhouette != "turtleneck":
        _neckline(easel, neck=neck, depth=depth, band=2.2)
    if silhouette == "henley":
        easel.solid(rect(47.6, 22, 52.4, 40, 0.8), volume=0.4)
        _buttons(easel, 25, 36, 3)
    easel.seam([(31, 81), (50, 82), (69, 81)])


def shirt(easel: Easel, silhouette: str) -> None:
    hem = 86
    easel.hollow(outline(mirror([(50, 11), (58, 12), (59, 20), (50, 27)]), 2))
    if silhouette == "short-sleeve":
        _sleeves(easel, _short_sleeve(2))
    else:
        _sleeves(easel, _long_sleeve(9), cuff=_cuff(9.4, height=6))
    easel.part(outline(_body(easel, neck=8.5, hem=hem, width=20, depth=25)))
    easel.line([(48, 26), (48, hem)], 0.6, alpha=0.7)
    easel.line([(52, 26), (52, hem)], 0.6, alpha=0.7)
    _buttons(easel, 31, 80, 6)
    collar = [(50, 26), (58, 12), (61.5, 16), (58.5, 29)]
    if silhouette == "band collar":
        easel.stroke(curve([(41.5, 14), (50, 27, 9), (58.5, 14)], 9), 4.4)
        easel.stroke(curve([(41.5, 14), (50, 27, 9), (58.5, 14)], 9), 3.6, easel.trim)
    else:
        for points in (collar, [(100 - x, y) for x, y in collar]):
            easel.part(outline(points, 1), volume=0.4)
    if silhouette == "chest pocket":
        easel.part(outline([(56, 40), (66, 40), (66, 51), (61, 53.5), (56, 51)], 1), volume=0.35)


def _ribs(easel: Easel, left: float, top: float, right: float, bottom: float) -> None:
    easel.solid(rect(left, top, right, bottom, 2), volume=0.6)
    x = left + 2.0
    while x < right - 1:
        easel.line([(x, top + 0.6), (x, bottom - 0.6)], 0.5, alpha=0.4)
        x += 2.2


def sweater(easel: Easel, silhouette: str) -> None:
    depth = 29 if silhouette in ("v-neck", "cardigan") else 21
    if silhouette == "turtleneck":
        _ribs(easel, 40, 6, 60, 22)
    else:
        _neck(easel, neck=9, depth=depth, band=3.2)
    _sleeves(easel, _long_sleeve(12, 80), cuff=_cuff(12, 80, 7))
    easel.part(
        outline(
            _body(
                easel, neck=9, hem=80, width=22, depth=17 if silhouette == "turtleneck" else depth
            )
        )
    )
    _ribs(easel, 28.5, 77, 71.5, 85)
    if silhouette != "turtleneck":
        _neckline(easel, neck=9, depth=depth, band=3.6)
    if silhouette == "cardigan":
        easel.solid(rect(47.5, depth, 52.5, 85, 1), volume=0.4)
        _buttons(easel, depth + 5, 81, 5)
    if silhouette == "cable":
        for x in (39, 50, 61):
            for y in range(30, 72, 6):
                easel.line([(x - 2, y), (x + 2, y + 3, 2), (x - 2, y + 6)], 0.8, alpha=0.6)
                easel.line([(x + 2, y), (x - 2, y + 3, 2), (x + 2, y + 6)], 0.8, alpha=0.6)


def hoodie(easel: Easel, silhouette: str) -> None:
    easel.part(outline(mirror([(50, 3, 12), (63, 8, 12), (66, 20, 6), (56, 27, 6), (50, 29)]), 6))
    easel.hollow(outline(mirror([(50, 8, 12), (58, 11, 10), (59, 20, 6), (50, 29, 3)]), 6))
    _sleeves(easel, _long_sleeve(12, 80), cuff=_cuff(12, 80, 6))
    easel.part(outline(_body(easel, neck=9, hem=81, width=22, depth=28)))
    _ribs(easel, 28.5, 78, 71.5, 85)
    if silhouette == "zip":
        easel.line([(50, 28), (50, 85)], 1.8)
        easel.line([(50, 28), (50, 85)], 1.0, STEEL)
        for points in (
            [(48.5, 60), (38, 60), (34, 74), (48.5, 74)],
            [(51.5, 60), (62, 60), (66, 74), (51.5, 74)],
        ):
            easel.part(outline(points), volume=0.4)
    else:
        easel.part(
            outline([(40, 58), (60, 58), (66, 70), (66, 75), (34, 75), (34, 70)]), volume=0.5
        )
    cord = (
        lighter(easel.palette.base, 0.75)
        if luminance(easel.palette.base) < 0.6
        else darker(easel.palette.base, 0.5)
    )
    for x in (45.5, 54.5):
        easel.line([(x, 26), (x - 0.5, 36), (x + 0.6, 46)], 1.3, cord)


def _lapels(easel: Easel, depth: float, wide: float) -> None:
    right = [(50, depth), (56, 13), (60, 14), (60 + wide, 27), (57 + wide, 30), (59 + wide, 33)]
    for points in (right, [(100 - x, y) for x, y in right]):
        easel.solid(outline(points, 1), easel.palette.base, volume=0.5)


def jacket(easel: Easel, silhouette: str) -> None:
    hem, width = {
        "bomber": (78, 23),
        "trucker": (78, 20),
        "puffer": (80, 24),
        "biker": (76, 20),
    }.get(silhouette, (86, 21))
    depth = 46 if silhouette == "blazer" else 24
    easel.hollow(outline(mirror([(50, 13), (58, 13), (60, 20), (50, depth + 4)]), 2))
    _sleeves(
        easel,
        _long_sleeve(13 if silhouette in ("bomber", "puffer") else 11, 81),
        cuff=_cuff(12, 81, 5),
    )
    easel.part(outline(_body(easel, neck=8.5, hem=hem, width=width, depth=depth)))
    if silhouette == "blazer":
        _lapels(easel, depth, 6)
        easel.line([(50, depth), (50, hem)], 0.9)
        _buttons(easel, 54, 64, 2, 52)
        for x in (35, 56):
            easel.part(rect(x, 66, x + 9, 69.5, 0.6), volume=0.4)
        return
    if silhouette == "puffer":
        for y in range(30, 80, 9):
            easel.fold([(50 - width, y - 1), (50, y + 1), (50 + width, y - 1)], 1.8)
            easel.line(
                [(50 - width + 1, y - 1), (50, y + 1), (50 + width - 1, y - 1)], 0.6, alpha=0.6
            )
    easel.line([(50, 24), (50, hem)], 2.2)
    easel.line([(50, 24), (50, hem)], 1.1, BRASS if silhouette == "trucker" else STEEL)
    collar = [(50, 25), (57.5, 11), (63, 15), (59, 28)]
    for points in (collar, [(100 - x, y) for x, y in collar]):
        easel.solid(outline(points, 1.5), volume=0.5)
    if silhouette == "bomber":
        _ribs(easel, 28, 75, 72, 83)
    if silhouette == "trucker":
        for x in (36, 55):
            easel.part(
                outline([(x, 38), (x + 9, 38), (x + 9, 43), (x + 4.5, 46), (x, 43)], 0.6),
                volume=0.4,
            )
        _buttons(easel, 30, 72, 6, 52.4)
        easel.seam([(31, 35), (49, 35)])
        easel.seam([(51, 35), (69, 35)])
    if silhouette == "biker":
        easel.line([(54, 27), (66, 46)], 1.2, STEEL)
        easel.line([(35, 60), (42, 64)], 1.2, STEEL)
        easel.line([(65, 60), (58, 64)], 1.2, STEEL)


def coat(easel: Easel, silhouette: str) -> None:
    easel.hollow(outline(mirror([(50, 8), (57, 8), (59, 15), (50, 36)]), 2))
    sleeve = [(64, 11), (70, 13, 8), (78, 40, 20), (81, 66), (71, 68), (70, 45, 20), (64, 32)]
    _sleeves(easel, sleeve, cuff=shift([(81.3, 62), (81.5, 67), (71, 69), (70.6, 64)], 0))
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
    easel.part(outline(mirror(right)))
    easel.line([(50, 34), (51, 94)], 0.9)
    if silhouette == "trench":
        _lapels_coat(easel)
        easel.solid(rect(34.5, 49, 65.5, 54, 1), volume=0.5)
        easel.solid(rect(47, 48, 54, 55, 1), BRASS, "metal", volume=0.5)
        for x in (44, 56):
            _buttons(easel, 38, 46, 2, x)
            _buttons(easel, 60, 70, 2, x)
    elif silhouette == "duffle":
        easel.part(outline(mirror([(50, 3, 8), (60, 6, 8), (62, 14, 4), (50, 22)]), 5), volume=0.7)
        for y in (34, 46, 58):
            easel.line([(43, y), (57, y)], 1.2, (0.55, 0.36, 0.2))
            easel.line([(47, y), (53, y)], 2.6, (0.72, 0.52, 0.3))
    else:
        _lapels_coat(easel)
        _buttons(easel, 44, 76, 4, 53)
    for points in (
        [(37, 62), (44, 60), (44.6, 62.4), (37.4, 64.4)],
        [(63, 62), (56, 60), (55.4, 62.4), (62.6, 64.4)],
    ):
        easel.part(outline(points, 0.6), volume=0.4)


def _lapels_coat(easel: Easel) -> None:
    right = [(50, 36), (55.5, 8), (60, 9), (66, 21), (62, 23.5), (64, 27)]
    for points in (right, [(100 - x, y) for x, y in right]):
        easel.solid(outline(points, 1), easel.palette.base, volume=0.5)


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
