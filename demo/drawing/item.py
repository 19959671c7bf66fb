"""What is to be drawn: one product, described by words."""

import random
from dataclasses import dataclass

from demo.drawing import accessories, bottoms, footwear, furniture, home, tops, toys
from demo.drawing.backgrounds import BACKGROUNDS
from demo.drawing.kind import Kind
from demo.drawing.palette import COLORS
from demo.drawing.patterns import PATTERNS

__all__ = ["ACCENTS", "CATEGORIES", "KINDS", "MATERIALS", "SILHOUETTES", "Item", "random_item"]

KINDS: dict[str, Kind] = {
    **tops.KINDS,
    **bottoms.KINDS,
    **footwear.KINDS,
    **accessories.KINDS,
    **home.KINDS,
    **furniture.KINDS,
    **toys.KINDS,
}
CATEGORIES: tuple[str, ...] = tuple(KINDS)
SILHOUETTES: dict[str, tuple[str, ...]] = {
    category: kind.silhouettes for category, kind in KINDS.items()
}
MATERIALS: dict[str, tuple[str, ...]] = {
    category: kind.materials for category, kind in KINDS.items()
}

# The colors whose pattern shows clearly on each color.
ACCENTS: dict[str, tuple[str, ...]] = {
    "red": ("white", "black", "beige", "yellow", "blue"),
    "orange": ("white", "black", "blue", "purple", "brown"),
    "yellow": ("black", "blue", "red", "green", "purple", "gray"),
    "green": ("white", "yellow", "beige", "black", "pink"),
    "blue": ("white", "yellow", "orange", "beige", "pink"),
    "purple": ("white", "yellow", "beige", "orange", "pink"),
    "pink": ("white", "red", "black", "purple", "green", "brown"),
    "brown": ("beige", "white", "orange", "yellow", "pink"),
    "black": ("white", "red", "yellow", "pink", "beige", "orange"),
    "white": ("black", "red", "blue", "green", "purple", "pink", "gray", "brown"),
    "gray": ("white", "black", "yellow", "pink", "red"),
    "beige": ("brown", "black", "red", "blue", "green"),
}


@dataclass(frozen=True)
class Item:
    """One product; the words say what it is, the seed draws only the small variations."""

    category: str
    color: str
    pattern: str
    accent: str
    silhouette: str
    material: str
    background: str
    seed: int

    def __post_init__(self) -> None:
        _check("category", self.category, CATEGORIES)
        _check("color", self.color, COLORS)
        _check("pattern", self.pattern, PATTERNS)
        _check("accent", self.accent, COLORS)
        _check("silhouette", self.silhouette, SILHOUETTES[self.category])
        _check("material", self.material, MATERIALS[self.category])
        _check("background", self.background, BACKGROUNDS)


def random_item(rng: random.Random, **fixed: object) -> Item:
    """Returns an item of random words and seed, except for the fields given.

    Every category, color, silhouette, material and background is equally likely, and so is every
    pattern but plain, which half of the items have. ValueError for a word that is unknown or does
    not fit the category.
    """
    category = str(fixed.get("category") or rng.choice(CATEGORIES))
    color = str(fixed.get("color") or rng.choice(COLORS))
    _check("category", category, CATEGORIES)
    _check("color", color, COLORS)
    drawn: dict[str, object] = {
        "category": category,
        "color": color,
        "pattern": rng.choice(PATTERNS) if rng.random() < 0.6 else "plain",
        "accent": rng.choice(ACCENTS[color]),
        "silhouette": rng.choice(SILHOUETTES[category]),
        "material": rng.choice(MATERIALS[category]),
        "background": rng.choice(BACKGROUNDS),
        "seed": rng.getrandbits(32),
    }
    return Item(**{**drawn, **fixed})  # type: ignore[arg-type]  # the fields' own check follows


def _check(field: str, word: str, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        raise ValueError(f"{field}: {word!r} is none of {', '.join(allowed)}")
