"""Products drawn from words: what a demo shop sells, and what the bundled model learns from.

`random_item` chooses the words, `draw` makes the picture, `draw_cutout` the product alone. The
vocabulary is CATEGORIES, COLORS, PATTERNS and BACKGROUNDS (tuples of words), and SILHOUETTES and
MATERIALS (by category).
"""

try:
    import skia  # noqa: F401  # imported for the sake of the messages below
except ModuleNotFoundError as error:
    raise ImportError(
        "skia-python is missing; install it with: pip install 'vitrine[demo]'"
    ) from error
except ImportError as error:
    # The wheel of skia-python links the system's OpenGL libraries, though nothing here draws on a
    # GPU.
    raise ImportError(
        f"skia-python cannot be loaded ({error}); on Debian and Ubuntu: apt install libegl1 libgl1"
    ) from error

from demo.drawing.backgrounds import BACKGROUNDS
from demo.drawing.item import ACCENTS, CATEGORIES, MATERIALS, SILHOUETTES, Item, random_item
from demo.drawing.palette import COLORS
from demo.drawing.patterns import PATTERNS
from demo.drawing.picture import draw, draw_cutout

__all__ = [
    "ACCENTS",
    "BACKGROUNDS",
    "CATEGORIES",
    "COLORS",
    "MATERIALS",
    "PATTERNS",
    "SILHOUETTES",
    "Item",
    "draw",
    "draw_cutout",
    "random_item",
]
