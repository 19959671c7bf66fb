"""Color words and the tints that each of them may take."""

import colorsys
import random
from dataclasses import dataclass

__all__ = [
    "COLORS",
    "RGB",
    "Palette",
    "darker",
    "lighter",
    "luminance",
    "mix",
    "shadow_of",
    "tint",
]

RGB = tuple[float, float, float]
"""Red, green, blue, each in 0..1, sRGB encoded."""

# Hue in degrees, lightness and saturation in 0..1 (HLS). The ranges keep a gap between neighbors
# (red | orange | brown | beige, red | pink | purple), so that a tint is never of two words.
_RANGES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((-6, 4), (0.40, 0.49), (0.72, 0.90)),
    "orange": ((21, 30), (0.50, 0.57), (0.86, 0.98)),
    "yellow": ((48, 56), (0.55, 0.64), (0.88, 1.0)),
    "green": ((100, 152), (0.27, 0.44), (0.38, 0.68)),
    "blue": ((207, 223), (0.32, 0.56), (0.55, 0.85)),
    "purple": ((266, 288), (0.34, 0.50), (0.38, 0.62)),
    "pink": ((326, 348), (0.70, 0.80), (0.65, 0.92)),
    "brown": ((18, 28), (0.22, 0.33), (0.38, 0.55)),
    "black": ((0, 360), (0.07, 0.13), (0.0, 0.10)),
    "white": ((30, 220), (0.95, 0.985), (0.0, 0.2)),
    "gray": ((200, 230), (0.46, 0.62), (0.0, 0.05)),
    "beige": ((34, 41), (0.75, 0.82), (0.34, 0.48)),
}

COLORS: tuple[str, ...] = tuple(_RANGES)


@dataclass(frozen=True)
class Palette:
    """The paints of one product: `base` covers most of it, `accent` makes its pattern and trim."""

    base: RGB
    accent: RGB

    @property
    def ink(self) -> RGB:
        """The color of outlines and seams: darker than the base, or lighter where the base is
        dark."""
        return darker(self.base, 0.55) if luminance(self.base) > 0.2 else lighter(self.base, 0.34)


def tint(color: str, rng: random.Random) -> RGB:
    """Returns one tint of the color word. KeyError for a word that is not in COLORS."""
    hue, lightness, saturation = (rng.uniform(*span) for span in _RANGES[color])
    return colorsys.hls_to_rgb(hue / 360 % 1, lightness, saturation)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Returns the color that lies `share` (0..1) of the way from the first to the second."""
    r, g, b = (a + (z - a) * share for a, z in zip(first, second, strict=True))
    return r, g, b


def darker(color: RGB, share: float) -> RGB:
    """Returns the color mixed with black, 0..1."""
    return mix(color, (0.02, 0.02, 0.04), share)


def lighter(color: RGB, share: float) -> RGB:
    """Returns the color mixed with white, 0..1."""
    return mix(color, (1.0, 1.0, 1.0), share)


def shadow_of(color: RGB) -> RGB:
    """Returns what the color becomes in the shade: its own hue, warmer, so that yellow does not
    turn to olive."""
    grayness = 1 - (max(color) - min(color))
    bounce = 1.0 + 1.7 * max(0.0, luminance(color) - 0.6)
    r, g, b = 0.36 * bounce, (0.30 + 0.05 * grayness) * bounce, (0.29 + 0.06 * grayness) * bounce
    return r * color[0], g * color[1], b * color[2]


def luminance(color: RGB) -> float:
    """Returns the weighted brightness of an encoded color (Rec. 601 luma), 0..1."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
