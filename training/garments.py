"""Garments cut out of photographs: their masks, their color words, and the same garment in another
color.

Photographs of clothes come with a class but no color. The foreground that GrabCut finds is named by
the nearest of the palette's colors in CIELAB, or painted anew in a color that is then known.
"""

import random
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.drawing.palette import COLORS, tint

__all__ = ["EDGE", "Garment", "color_name", "cut_out", "recolored"]

EDGE = 112
"""Pixels along a side of every training picture before it is cropped."""

_NAMED_SHARE = 0.5
# Tones that photographs show and the palette, which keeps colors apart, never draws: (word, sRGB).
_PHOTO_TONES: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("blue", (28, 32, 62)), ("blue", (70, 90, 130)), ("blue", (120, 150, 190)),
    ("blue", (40, 60, 110)), ("blue", (60, 150, 190)),
    ("black", (22, 22, 24)), ("black", (40, 38, 38)), ("gray", (85, 85, 88)),
    ("gray", (120, 122, 125)), ("gray", (160, 160, 162)),
    ("gray", (190, 190, 192)), ("white", (222, 222, 224)), ("white", (245, 244, 242)),
    ("red", (120, 20, 30)), ("red", (190, 40, 45)),
    ("red", (215, 70, 65)), ("pink", (235, 150, 170)), ("pink", (225, 190, 195)),
    ("pink", (200, 70, 120)), ("purple", (90, 50, 100)),
    ("purple", (140, 110, 170)), ("green", (40, 70, 50)), ("green", (95, 105, 70)),
    ("green", (110, 160, 110)), ("green", (50, 130, 110)),
    ("green", (150, 200, 90)), ("yellow", (225, 200, 70)), ("yellow", (235, 225, 140)),
    ("orange", (225, 110, 50)), ("orange", (240, 150, 90)),
    ("brown", (70, 45, 35)), ("brown", (110, 80, 60)), ("beige", (190, 170, 140)),
    ("beige", (215, 200, 180)),
)  # fmt: skip


@dataclass(frozen=True)
class Garment:
    """A photographed garment: `image` (EDGE, EDGE, 3) RGB, `mask` (EDGE, EDGE), its class, and
    its color word if one rules."""

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    label: str
    color: str | None


@cache
def _references() -> tuple[tuple[str, ...], NDArray[np.float32]]:
    rng = random.Random(0)
    tones = [(word, tone) for word, tone in _PHOTO_TONES]
    for word in COLORS:
        for _ in range(4):
            red, green, blue = tint(word, rng)
            tones.append((word, (round(red * 255), round(green * 255), round(blue * 255))))
    pixels = np.array([tone for _, tone in tones], np.uint8)[None]
    return tuple(word for word, _ in tones), _to_lab(pixels)[0]


def _to_lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _from_lab(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return (np.clip(np.asarray(rgb), 0, 1) * 255 + 0.5).astype(np.uint8)


def cut_out(image: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Returns the mask of the thing in the middle of a picture, None where no plausible one is
    found.

    GrabCut (Rother, Kolmogorov, Blake 2004) from a frame that is background and an ellipse that is
    likely foreground.
    """
    height, width = image.shape[:2]
    mask = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    rows, columns = np.mgrid[0:height, 0:width]
    mask[np.hypot(rows / height - 0.5, columns / width - 0.5) > 0.45] = cv2.GC_PR_BGD
    rim = max(2, height // 28)
    mask[:rim] = mask[-rim:] = mask[:, :rim] = mask[:, -rim:] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(image[..., ::-1]),
        mask,
        (0, 0, 0, 0),
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        3,
        cv2.GC_INIT_WITH_MASK,
    )
    foreground = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    parts, labels, stats, _ = cv2.connectedComponentsWithStats(foreground)
    if parts < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    largest = np.asarray(np.isin(labels, 1 + np.flatnonzero(areas > 0.2 * areas.max())), np.bool_)
    return largest if 0.1 < largest.mean() < 0.7 else None


def color_name(pixels: NDArray[np.uint8]) -> str | None:
    """Returns the color word of at least half of the pixels (N, 3), None where no word has so
    many."""
    words, references = _references()
    lab = _to_lab(pixels[None])[0]
    distances = (
        (lab[:, None, :] - references[None]) ** 2 * np.array((0.7, 1.0, 1.0), np.float32)
    ).sum(2)
    names = np.array(words)[distances.argmin(1)]
    unique, counts = np.unique(names, return_counts=True)
    best = int(counts.argmax())
    return str(unique[best]) if counts[best] >= _NAMED_SHARE * len(names) else None


def recolored(garment: Garment, color: str, rng: random.Random) -> Garment:
    """Returns the garment painted in a tint of the color word.

    Its folds and prints stay as lightness.
    """
    lab = _to_lab(garment.image)
    inside = lab[garment.mask]
    paint = _to_lab(np.array([[[round(part * 255) for part in tint(color, rng)]]], np.uint8))[0, 0]
    paint[0] += rng.uniform(-6, 6)
    middle = np.median(inside, 0)
    fresh = (inside - middle) * np.array((rng.uniform(0.5, 0.9), 0.25, 0.25), np.float32) + paint
    fresh[:, 0] = np.clip(fresh[:, 0], 2, 99)
    lab[garment.mask] = fresh
    return Garment(_from_lab(lab), garment.mask, garment.label, color)
