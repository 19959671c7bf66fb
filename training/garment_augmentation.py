"""Training pictures made from garments: recolored, before another background, and worn as
outfits."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.drawing.palette import COLORS
from training.garments import EDGE, Garment, recolored

__all__ = ["GarmentAugmenter"]

Picture = NDArray[np.uint8]
_SKIN = ((236, 200, 175), (222, 175, 145), (190, 140, 110), (140, 95, 70), (95, 65, 50))
_TOPS = ("t-shirt", "longsleeve", "shirt", "outwear")
_BOTTOMS = ("pants", "shorts", "skirt")


def _warp(
    image: Picture, mask: NDArray[np.bool_], rng: random.Random
) -> tuple[Picture, NDArray[np.float32]]:
    """Turns, scales and moves the garment a little; returns it with a soft mask in 0..1."""
    rows, columns = np.nonzero(mask)
    center = (float(columns.mean()), float(rows.mean()))
    span = max(float(np.ptp(rows)), float(np.ptp(columns)), 1.0) / EDGE
    scale = rng.uniform(0.6, 0.98) / span
    matrix = cv2.getRotationMatrix2D(center, rng.gauss(0, 7), scale)
    matrix[0, 0] *= rng.uniform(0.85, 1.15)
    matrix[:, 2] += np.array(
        (EDGE / 2 - center[0] + rng.gauss(0, 4), EDGE / 2 - center[1] + rng.gauss(0, 4))
    )
    moved = cv2.warpAffine(
        image, matrix, (EDGE, EDGE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    soft = cv2.warpAffine(mask.astype(np.float32), matrix, (EDGE, EDGE), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8), np.asarray(cv2.GaussianBlur(soft, (3, 3), 0), np.float32)


def _studio(rng: random.Random) -> Picture:
    """A plain backdrop, light most of the time, with a soft fall-off."""
    tone = rng.uniform(200, 255) if rng.random() < 0.8 else rng.uniform(20, 200)
    shade = np.linspace(tone, tone - rng.uniform(0, 30), EDGE, dtype=np.float32)
    tinted = np.array(
        [rng.uniform(-8, 8) if rng.random() < 0.4 else 0.0 for _ in range(3)], np.float32
    )
    backdrop: Picture = (
        np.clip(shade[:, None, None] + tinted, 0, 255).repeat(EDGE, 1).astype(np.uint8)
    )
    return backdrop


def _over(below: Picture, above: Picture, soft: NDArray[np.float32]) -> Picture:
    return (below + (above.astype(np.float32) - below) * soft[..., None]).astype(np.uint8)


def _worn(garment: Garment, box: tuple[int, int, int, int], canvas: Picture) -> None:
    """Stretches the garment's cut-out into a box (left, top, right, bottom) of a larger canvas,
    in place."""
    rows, columns = np.nonzero(garment.mask)
    cut = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    image = cv2.resize(np.ascontiguousarray(garment.image[cut]), size, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(
        np.ascontiguousarray(garment.mask[cut].astype(np.float32)),
        size,
        interpolation=cv2.INTER_AREA,
    )
    part = canvas[top:bottom, left:right]
    part[:] = _over(part.copy(), np.asarray(image, np.uint8), np.asarray(soft, np.float32))


def _outfit(main: Garment, other: Garment, rng: random.Random) -> Picture:
    """A person in two garments, framed on the main one: head to thighs for a top, waist to feet
    for what is worn below."""
    upper, lower = (main, other) if main.label in _TOPS else (other, main)
    canvas = np.ascontiguousarray(cv2.resize(_studio(rng), (150, 260)), np.uint8)
    skin, hair = rng.choice(_SKIN), tuple(rng.randint(10, 110) for _ in range(3))
    cv2.ellipse(canvas, (75, 28), (15, 20), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (75, 32), (12, 16), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.line(canvas, (75, 45), (75, 62), skin, 12, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.line(
            canvas,
            (75 + side * 30, 70),
            (75 + side * rng.randint(34, 46), rng.randint(120, 142)),
            skin,
            10,
            cv2.LINE_AA,
        )
        cv2.line(
            canvas,
            (75 + side * 12, 140),
            (75 + side * rng.randint(12, 18), 250),
            skin,
            14,
            cv2.LINE_AA,
        )
    reach = {"shorts": 188, "skirt": 192}.get(lower.label, 248)
    half = rng.randint(26, 34)
    _worn(lower, (75 - half, rng.randint(122, 132), 75 + half, reach + rng.randint(-8, 8)), canvas)
    half = rng.randint(42, 56) if upper.label != "t-shirt" else rng.randint(40, 50)
    _worn(upper, (75 - half, rng.randint(46, 54), 75 + half, rng.randint(136, 154)), canvas)
    top, bottom = (
        (rng.randint(0, 40), rng.randint(155, 200))
        if main is upper
        else (rng.randint(80, 118), rng.randint(236, 260))
    )
    side = rng.randint(0, 24)
    return np.asarray(
        cv2.resize(
            np.ascontiguousarray(canvas[top:bottom, side : 150 - side]),
            (EDGE, EDGE),
            interpolation=cv2.INTER_AREA,
        ),
        np.uint8,
    )


@dataclass(frozen=True)
class GarmentAugmenter:
    """Garments to make pictures from.

    Those that were cut out are also kept by what they are worn with.
    """

    garments: Sequence[Garment]

    @cached_property
    def tops(self) -> list[Garment]:
        return [
            garment for garment in self.garments if garment.label in _TOPS and garment.mask.any()
        ]

    @cached_property
    def bottoms(self) -> list[Garment]:
        return [
            garment for garment in self.garments if garment.label in _BOTTOMS and garment.mask.any()
        ]

    def variant(self, index: int, rng: random.Random) -> tuple[Picture, str | None]:
        """Returns a training picture of garment `index` and its color word where one is known.

        Some stay as photographed; the others are recolored, set before another backdrop or worn
        with a second garment.
        """
        garment = self.garments[index]
        if not garment.mask.any() or rng.random() < 0.3:
            return garment.image, garment.color
        if rng.random() < 0.65:
            garment = recolored(garment, rng.choice(COLORS), rng)
        if rng.random() < 0.25:
            return garment.image, garment.color
        if garment.label in _TOPS + _BOTTOMS and rng.random() < 0.4:
            other = rng.choice(self.bottoms if garment.label in _TOPS else self.tops)
            other = recolored(other, rng.choice(COLORS), rng) if rng.random() < 0.7 else other
            return _outfit(garment, other, rng), garment.color
        moved, soft = _warp(garment.image, garment.mask, rng)
        return _over(
            _studio(rng) if rng.random() < 0.5 else self.backdrop(rng), moved, soft
        ), garment.color

    def backdrop(self, rng: random.Random) -> Picture:
        """Returns the corner of some photograph stretched over a whole picture."""
        other = rng.choice(self.garments).image
        strip = EDGE // 5
        part = rng.choice(
            (
                other[:strip, :strip],
                other[-strip:, -strip:],
                other[:strip, -strip:],
                other[-strip:, :strip],
            )
        )
        return np.asarray(
            cv2.resize(np.ascontiguousarray(part), (EDGE, EDGE), interpolation=cv2.INTER_CUBIC),
            np.uint8,
        )

    def any_index(self, rng: random.Random) -> int:
        """Returns a random garment.

        Every class is drawn by the square root of its size, so that rare ones are seen.
        """
        return rng.choices(range(len(self.garments)), cum_weights=self._weights)[0]

    @cached_property
    def _weights(self) -> list[float]:
        sizes = Counter(garment.label for garment in self.garments)
        return list(accumulate(sizes[garment.label] ** -0.5 for garment in self.garments))
