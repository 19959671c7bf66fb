"""Drawn scenes of several products, with a box around each: what the detector learns from."""

import random
from dataclasses import dataclass

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from demo.drawing import BACKGROUNDS, Item, draw_cutout, random_item
from demo.drawing.backgrounds import draw_background

__all__ = ["Box", "Scene", "draw_scene"]

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in pixels; the maxima are exclusive, so xmax - xmin is the width."""

MOST_PRODUCTS = 6
SMALLEST, LARGEST = 0.30, 0.95
"""The side of a product's square, as shares of the scene's shorter side."""
OVERLAP = 0.12
"""The share of the smaller of two boxes that may be covered."""
VISIBLE_ALPHA = 24
"""Pixels fainter than this (of 255) do not count as drawn."""
ATTEMPTS = 12
"""How often a place is sought for a product before the scene does without it."""


@dataclass(frozen=True)
class Scene:
    """An RGB image and its products, back to front, each with the box tight around its visible
    pixels."""

    image: Image.Image
    objects: tuple[tuple[Item, Box], ...]


def draw_scene(rng: random.Random, *, width: int, height: int) -> Scene:
    """Returns a scene of one to six products on one background, in an image of width x height
    pixels."""
    image = _backdrop(rng, width, height)
    owners = np.full((height, width), -1, np.int8)
    items: list[Item] = []
    boxes: list[Box] = []
    count = rng.randint(1, MOST_PRODUCTS)
    for _ in range(count):
        side = round(min(width, height) * rng.uniform(SMALLEST, LARGEST / (1 + 0.18 * (count - 1))))
        item = random_item(rng)
        cutout = draw_cutout(item, side)
        seen = np.asarray(cutout.getchannel("A")) >= VISIBLE_ALPHA
        tight = tight_box(seen)
        place = _free_place(rng, tight, boxes, size=(width, height))
        if place is None:
            continue
        _paste(image, cutout, place, rng)
        rows, columns = np.nonzero(seen)
        owners[rows + place[1], columns + place[0]] = len(items)
        items.append(item)
        boxes.append(_moved(tight, place))
    return Scene(image, tuple((item, tight_box(owners == i)) for i, item in enumerate(items)))


def tight_box(seen: NDArray[np.bool_]) -> Box:
    """Returns the tight box of the true pixels of a mask (rows, columns).

    ValueError when there are none.
    """
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        raise ValueError("the mask has no pixel that is seen")
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _backdrop(rng: random.Random, width: int, height: int) -> Image.Image:
    pixels = np.empty((height, width, 4), np.uint8)
    surface = skia.Surface(
        pixels, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType
    )
    canvas = surface.getCanvas()
    scale = min(width, height) / 100
    canvas.scale(scale, scale)
    draw_background(canvas, rng.choice(BACKGROUNDS), rng, size=(width / scale, height / scale))
    return Image.fromarray(np.ascontiguousarray(pixels[..., :3]))


def _free_place(
    rng: random.Random, tight: Box, taken: list[Box], *, size: tuple[int, int]
) -> tuple[int, int] | None:
    """Returns where the cutout's corner goes so that its drawn part lies in the scene, clear of
    the others."""
    for _ in range(ATTEMPTS):
        x = rng.randint(-int(tight[0]), size[0] - int(tight[2]))
        y = rng.randint(-int(tight[1]), size[1] - int(tight[3]))
        if all(_covered(_moved(tight, (x, y)), box) <= OVERLAP for box in taken):
            return x, y
    return None


def _moved(box: Box, by: tuple[int, int]) -> Box:
    return box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1]


def _covered(first: Box, second: Box) -> float:
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return max(0.0, across) * max(0.0, down) / min(areas)


def _paste(
    image: Image.Image, cutout: Image.Image, place: tuple[int, int], rng: random.Random
) -> None:
    """Lays the cutout over the image, its soft shadow first."""
    reach = max(1, cutout.height // 40)
    strength = rng.uniform(0.2, 0.45)
    alpha = cutout.getchannel("A")
    shadow = alpha.filter(ImageFilter.GaussianBlur(reach)).point(lambda value: value * strength)
    image.paste((0, 0, 8), (place[0] + reach // 2, place[1] + reach), shadow)
    image.paste(cutout, place, alpha)
