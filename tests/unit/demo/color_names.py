"""The test's own eye for colors: the nearest CSS color in OKLab, and the shop's word for it."""

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

# CSS names (CSS Color Module Level 4) that a person would file under each word.
CSS_NAMES = {
    "red": ["red", "crimson", "firebrick", "#c81e1e"],
    "orange": ["orange", "darkorange", "#e87512", "#d9701c", "#c8691e", "#b05e2d"],
    "yellow": ["yellow", "gold", "#f0d732", "#d8b830", "#c4a634"],
    "green": [
        "green",
        "forestgreen",
        "seagreen",
        "limegreen",
        "darkgreen",
        "mediumseagreen",
        "olivedrab",
        "#3a6e52",
    ],
    "blue": [
        "blue",
        "royalblue",
        "steelblue",
        "dodgerblue",
        "mediumblue",
        "darkblue",
        "#1f4e86",
        "#2a5a8c",
        "#244a7a",
    ],
    "purple": ["purple", "rebeccapurple", "darkorchid", "indigo", "blueviolet", "#7a4aa0"],
    "pink": ["pink", "hotpink", "palevioletred", "lightpink", "#d89ab0"],
    "brown": ["saddlebrown", "sienna", "#5a3a22", "#4a2c18", "#6e4b33"],
    "black": ["black", "#202020", "#333333", "#45464a"],
    "white": ["white", "whitesmoke", "gainsboro", "lightgray"],
    "gray": ["gray", "dimgray", "slategray", "#999999", "darkgray"],
    "beige": ["tan", "burlywood", "wheat", "bisque", "#cbb592", "#b7a78a", "#d2c8b4"],
}


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns OKLab of sRGB in 0..255 (rows of three), by
    https://bottosson.github.io/posts/oklab/."""
    encoded = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        linear
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return cones @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


_WORDS = [word for word, names in CSS_NAMES.items() for _ in names]
_POINTS = oklab(
    np.array(
        [ImageColor.getrgb(name)[:3] for names in CSS_NAMES.values() for name in names],
        dtype=np.float64,
    )
)


def word_for(rgb: NDArray[np.float64]) -> str:
    """Returns the word of the nearest named color."""
    distances = np.linalg.norm(_POINTS - oklab(rgb[None, :]), axis=1)
    return _WORDS[int(distances.argmin())]
