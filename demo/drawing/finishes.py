"""Materials: how light plays on each of them, and the fine texture that shows what it is."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import skia
from numpy.typing import NDArray

__all__ = ["FINISHES", "Finish", "texture_shader"]


@dataclass(frozen=True)
class Finish:
    """How a material looks: shares are 0..1, `gloss` is none, soft, sharp or metal."""

    texture: str
    grain: float
    gloss: str = "none"
    folds: int = 0
    fuzz: float = 0.0
    opacity: float = 1.0
    stitched: bool = False


FINISHES: dict[str, Finish] = {
    "cotton": Finish("weave", 0.25, folds=5),
    "linen": Finish("linen", 0.5, folds=6),
    "denim": Finish("twill", 0.8, folds=3, stitched=True),
    "silk": Finish("smooth", 0.0, gloss="satin", folds=7),
    "wool": Finish("felt", 0.6, folds=3, fuzz=0.35),
    "knit": Finish("knit", 0.8, folds=2),
    "leather": Finish("leather", 0.6, gloss="soft", folds=2),
    "suede": Finish("felt", 0.7, folds=1),
    "canvas": Finish("linen", 0.55, folds=1, stitched=True),
    "nylon": Finish("ripstop", 0.6, gloss="soft", folds=4),
    "velvet": Finish("felt", 0.45, gloss="satin", folds=3),
    "straw": Finish("straw", 1.0),
    "plush": Finish("fur", 0.9, fuzz=0.8),
    "wood": Finish("wood", 0.9),
    "metal": Finish("brushed", 0.35, gloss="metal"),
    "glass": Finish("smooth", 0.0, gloss="sharp", opacity=0.86),
    "ceramic": Finish("smooth", 0.0, gloss="sharp"),
    "plastic": Finish("smooth", 0.0, gloss="sharp"),
    "rubber": Finish("leather", 0.3, gloss="soft"),
}

_SIZE = 128
_UNITS = 40.0


@cache
def texture_shader(name: str) -> skia.Shader | None:
    """Returns the shader that lays the texture over a color as dark and light grain.

    None for smooth.
    """
    if name == "smooth":
        return None
    relief = _TEXTURES[name]()
    alpha = np.clip(np.abs(relief), 0, 1)
    pixels = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    pixels[..., :3] = np.where(relief > 0, 255, 0)[..., None]
    pixels[..., 3] = alpha * 255
    image = skia.Image.fromarray(pixels, skia.ColorType.kRGBA_8888_ColorType)
    scale = skia.Matrix()
    scale.setScale(_UNITS / _SIZE, _UNITS / _SIZE)
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    return image.makeShader(skia.TileMode.kRepeat, skia.TileMode.kRepeat, sampling, scale)


Relief = NDArray[np.float64]
"""A tile of height values, about -1 (dark) to 1 (light)."""


def _grid() -> tuple[Relief, Relief]:
    y, x = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float64)
    return x, y


def _noise(horizontal: float, vertical: float, seed: int) -> Relief:
    white = np.random.default_rng(seed).standard_normal((_SIZE, _SIZE))
    fx, fy = np.fft.fftfreq(_SIZE)[None, :], np.fft.fftfreq(_SIZE)[:, None]
    band = np.exp(-((fx * horizontal) ** 2 + (fy * vertical) ** 2) * 10)
    smooth: Relief = np.fft.ifft2(np.fft.fft2(white) * band).real
    strongest = float(np.abs(smooth).max())
    return smooth / strongest


def _weave() -> Relief:
    x, y = _grid()
    return 0.10 * np.sin(x * np.pi / 2) * np.sin(y * np.pi / 2) + 0.10 * _noise(2, 2, 1)


def _linen() -> Relief:
    return 0.35 * _noise(14, 1, 2) + 0.35 * _noise(1, 14, 3)


def _twill() -> Relief:
    x, y = _grid()
    return 0.20 * np.sin((x + y) * 2 * np.pi / 8) + 0.25 * _noise(2, 6, 4)


def _felt() -> Relief:
    return 0.35 * _noise(2, 2, 5) + 0.15 * _noise(6, 6, 6)


def _knit() -> Relief:
    x, y = _grid()
    column = np.abs((x % 16) - 8) / 8
    return 0.32 * np.sin((y - column * 10) * 2 * np.pi / 8) - 0.30 * (column > 0.86)


def _leather() -> Relief:
    return 0.45 * np.tanh(4 * _noise(4, 4, 7)) * np.abs(_noise(2, 2, 8))


def _ripstop() -> Relief:
    x, y = _grid()
    return -0.18 * ((x % 16 < 1.5) | (y % 16 < 1.5)) + 0.05 * _noise(2, 2, 9)


def _straw() -> Relief:
    x, y = _grid()
    checker = ((x // 8 + y // 8) % 2) * 2 - 1
    lines = np.where(checker > 0, np.sin(x * 2 * np.pi / 4), np.sin(y * 2 * np.pi / 4))
    return 0.16 * checker + 0.16 * lines


def _fur() -> Relief:
    return 0.45 * _noise(1.5, 5, 10) + 0.2 * _noise(4, 4, 11)


def _wood() -> Relief:
    x, y = _grid()
    wave = np.sin(y * 2 * np.pi / 16 + 2.2 * _noise(60, 10, 12))
    return 0.13 * wave * (0.6 + 0.4 * np.sin(x * 2 * np.pi / _SIZE)) + 0.32 * _noise(60, 1.1, 13)


def _brushed() -> Relief:
    return 0.35 * _noise(30, 0.6, 14)


_TEXTURES = {
    "weave": _weave,
    "linen": _linen,
    "twill": _twill,
    "felt": _felt,
    "knit": _knit,
    "leather": _leather,
    "ripstop": _ripstop,
    "straw": _straw,
    "fur": _fur,
    "wood": _wood,
    "brushed": _brushed,
}
