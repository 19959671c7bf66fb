"""The words of words.toml, read once, and the labels that training pictures carry."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from demo.drawing import CATEGORIES, COLORS, MATERIALS, PATTERNS, SILHOUETTES, Item

__all__ = [
    "ALL_MATERIALS",
    "ALL_SILHOUETTES",
    "KINDS",
    "PHOTO",
    "Label",
    "Naming",
    "Words",
    "kinds_within",
    "label_of",
    "words",
]

PHOTO = "photo of "
_PHOTO_CLASSES = (
    "t-shirt",
    "longsleeve",
    "shirt",
    "outwear",
    "dress",
    "skirt",
    "pants",
    "shorts",
    "shoes",
    "hat",
)
KINDS: tuple[str, ...] = (*CATEGORIES, *(PHOTO + name for name in _PHOTO_CLASSES))
"""What a training picture shows: a drawn category, or a photograph of a class that may be
several of them."""

ALL_SILHOUETTES = tuple(sorted({shape for shapes in SILHOUETTES.values() for shape in shapes}))
ALL_MATERIALS = tuple(
    sorted({material for materials in MATERIALS.values() for material in materials})
)
_ATTRIBUTES = (COLORS, PATTERNS, ALL_MATERIALS, ALL_SILHOUETTES)


@dataclass(frozen=True)
class Naming:
    """How a set of kinds may be called: nouns, and uses that complete "something ..."."""

    categories: frozenset[str]
    names: tuple[str, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """Everything that captions are made of.

    `categories` and `photos` by kind, the others by the palette's and patterns' words.
    """

    categories: Mapping[str, Naming]
    photos: Mapping[str, Naming]
    groups: Sequence[Naming]
    colors: Mapping[str, Sequence[str]]
    patterns: Mapping[str, Sequence[str]]
    patterns_after: Mapping[str, Sequence[str]]
    nouns: Sequence[str]
    uses: Sequence[str]


@dataclass(frozen=True)
class Label:
    """What is known of a training picture, as indices: `kind` of KINDS, the others of sorted
    words, -1 where unknown."""

    kind: int
    color: int = -1
    pattern: int = -1
    material: int = -1
    silhouette: int = -1

    @classmethod
    def of_words(cls, kind: str, *attributes: str | None) -> "Label":
        """Returns the label of a kind and its color, pattern, material and silhouette.

        None, or a word nobody draws, is unknown.
        """
        codes = (
            names.index(word) if word in names else -1
            for names, word in zip(_ATTRIBUTES, attributes, strict=True)
        )
        return cls(KINDS.index(kind), *codes)

    @property
    def words(self) -> tuple[str, str | None, str | None, str | None, str | None]:
        """Kind, color, pattern, material and silhouette in words, None where unknown."""
        codes = (self.color, self.pattern, self.material, self.silhouette)
        color, pattern, material, silhouette = (
            names[code] if code >= 0 else None
            for names, code in zip(_ATTRIBUTES, codes, strict=True)
        )
        return KINDS[self.kind], color, pattern, material, silhouette


def label_of(item: Item) -> Label:
    """Returns the label of a drawn item."""
    return Label.of_words(item.category, item.color, item.pattern, item.material, item.silhouette)


@cache
def words() -> Words:
    """Returns the words of words.toml."""
    table = tomllib.loads((files("training") / "words.toml").read_text("utf-8"))
    categories = {
        name: Naming(
            frozenset({name}),
            tuple(table["category"][name]["names"]),
            tuple(table["category"][name]["uses"]),
        )
        for name in CATEGORIES
    }
    photos = {
        PHOTO + name: Naming(frozenset(table["photo"][name]), tuple(table["photo_names"][name]), ())
        for name in _PHOTO_CLASSES
    }
    groups = [
        Naming(frozenset(g["categories"]), tuple(g["names"]), tuple(g["uses"]))
        for g in table["group"].values()
    ]
    templates = table["templates"]
    return Words(
        categories,
        photos,
        groups,
        table["color"],
        table["pattern"],
        table["pattern_after"],
        templates["noun"],
        templates["use"],
    )


@cache
def kinds_within(categories: frozenset[str]) -> tuple[int, ...]:
    """Returns for each of KINDS whether it is of the categories: 1 yes, 0 no, -1 perhaps
    (a photograph of a wider class)."""
    photos = words().photos

    def within(kind: str) -> int:
        shown = photos[kind].categories if kind in photos else frozenset({kind})
        return 1 if shown <= categories else 0 if not shown & categories else -1

    return tuple(within(kind) for kind in KINDS)
