"""Colours as shops write them, and the families shoppers choose from."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["FAMILIES", "families"]

_WORDS: dict[str, str] = {
    "red": "burgundy bordeaux maroon crimson scarlet ruby wine cherry cardinal vermilion brick garnet oxblood carmine claret cranberry",
    "orange": "tangerine apricot peach coral amber pumpkin terracotta papaya mango",
    "yellow": "mustard lemon canary saffron ochre maize sunflower citron",
    "green": "olive lime emerald mint sage forest jade moss army pistachio avocado fern hunter kelly chartreuse seafoam pine malachite",
    "blue": "navy azure cobalt indigo denim sapphire cerulean aqua cyan royal midnight ultramarine sky aquamarine cornflower marine",
    "purple": "violet lavender lilac plum mauve aubergine eggplant amethyst orchid grape mulberry",
    "pink": "rose fuchsia fuschia magenta salmon blush raspberry bubblegum watermelon",
    "brown": "chocolate coffee mocha chestnut cocoa walnut mahogany cognac hazel espresso cinnamon tobacco sienna umber bronze copper",
    "black": "jet onyx ebony noir",
    "white": "ivory snow alabaster",
    "gray": "grey charcoal slate graphite ash anthracite gunmetal pewter heather smoke",
    "beige": "cream ecru sand tan nude oatmeal champagne stone biscuit buff natural",
    "gold": "golden",
    "silver": "chrome platinum",
    "multicolor": "multicolour multicolored multicoloured multi rainbow assorted colorful colourful variegated",
}

FAMILIES = tuple(_WORDS)
"""Every family there is."""

_FAMILY: dict[str, tuple[str, ...]] = {
    **{word: (family,) for family, words in _WORDS.items() for word in (family, *words.split())},
    "teal": ("green", "blue"),
    "turquoise": ("green", "blue"),
    "petrol": ("green", "blue"),
    "khaki": ("green", "beige"),
    "camel": ("brown", "beige"),
    "taupe": ("brown", "gray"),
    "rust": ("orange", "brown"),
    # several words that mean one colour, or another than their words do
    "off white": ("white",),
    "egg shell": ("white",),
    "eggshell": ("white",),
    "rose gold": ("gold", "pink"),
    "sky blue": ("blue",),
    "wine red": ("red",),
    "blood orange": ("orange",),
    "royal purple": ("purple",),
    "midnight black": ("black",),
    "jet black": ("black",),
    "coral pink": ("pink",),
    "salmon pink": ("pink",),
    "dusty rose": ("pink",),
    "lemon green": ("green",),
    "mint blue": ("blue",),
    "aqua green": ("green",),
    "rose red": ("red",),
    "cherry red": ("red",),
    "stone gray": ("gray",),
    "stone grey": ("gray",),
    "natural white": ("white",),
    "snow white": ("white",),
    "cream white": ("white",),
    "pure white": ("white",),
    "heather blue": ("blue",),
    "heather green": ("green",),
    "heather red": ("red",),
    "slate blue": ("blue",),
    "silver gray": ("silver", "gray"),
}

_SHADE = re.compile(
    r"(?:light|dark|pale|deep|bright|medium|sky|navy|royal|baby|hot|off|neon|pastel)(?=[a-z])"
)
"""What is written together with a colour: darkred, skyblue, offwhite."""


def families(colors: Iterable[str]) -> tuple[str, ...]:
    """The colour families named in the texts, each once, in the order of `FAMILIES`; words that name no colour count for nothing.

    Only whole words count, so Redwood is no red.

    >>> families(["Burgundy/Black", "off-white"])
    ('red', 'black', 'white')
    """
    found = {
        family for text in colors for family in _named(re.findall(r"[^\W\d_]+", text.casefold()))
    }
    return tuple(family for family in FAMILIES if family in found)


def _named(words: list[str]) -> Iterable[str]:
    position = 0
    while position < len(words):
        pair = " ".join(words[position : position + 2])
        if pair in _FAMILY and " " in pair:
            yield from _FAMILY[pair]
            position += 2
        else:
            yield from _family(words[position])
            position += 1


def _family(word: str) -> tuple[str, ...]:
    known = _FAMILY.get(word)
    return known if known is not None else _FAMILY.get(_SHADE.sub("", word, count=1), ())
