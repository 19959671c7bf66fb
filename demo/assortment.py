"""What the demo shop sells: styles in several colors, with names, prices and descriptions."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import cycle, islice
from typing import Any

from demo.drawing import CATEGORIES, COLORS, MATERIALS, PATTERNS, SILHOUETTES, Item, random_item

__all__ = ["CURRENCY", "Ware", "plan_assortment"]

CURRENCY = "INR"
MOST_VARIANTS = 5
PLAIN_SHARE = 0.5
OTHER_PATTERN_SHARE = 0.2
"""How often a variant differs from its style in the pattern too."""
IN_STOCK_SHARE = 0.88


@dataclass(frozen=True)
class Ware:
    """One product on sale; `item` is what its picture shows, `price` is in whole rupees."""

    id: str
    group_id: str
    name: str
    brand: str
    category: str
    price: int
    in_stock: bool
    description: str
    care: str
    item: Item


@dataclass(frozen=True)
class Style:
    """What the variants of one group share."""

    name: str
    brand: str
    price: int
    category: str
    silhouette: str
    material: str
    pattern: str
    detail: str


def plan_assortment(products: int, seed: int) -> list[Ware]:
    """Returns that many products, the same for the same seed, spread evenly over the categories
    and their colors."""
    rng = random.Random(seed)
    shares = [
        products // len(CATEGORIES) + (i < products % len(CATEGORIES))
        for i in range(len(CATEGORIES))
    ]
    wares: list[Ware] = []
    for category, share in zip(CATEGORIES, shares, strict=True):
        wares.extend(islice(_wares_of(category, rng), share))
    rng.shuffle(wares)
    return [replace(ware, id=f"p{number:05d}") for number, ware in enumerate(wares, start=1)]


def _wares_of(category: str, rng: random.Random) -> Iterator[Ware]:
    """Yields products of the category without end: one style after another, the colors dealt
    from shuffled decks."""
    names = list(_wording()["styles"])
    rng.shuffle(names)
    silhouettes = cycle(rng.sample(SILHOUETTES[category], len(SILHOUETTES[category])))
    colors = _decks(rng)
    for number, name in enumerate(cycle(names), start=1):
        style = _style(category, next(silhouettes), name, rng)
        group = f"{_slug(category)}-{number:03d}"
        for color in dict.fromkeys(islice(colors, rng.randint(1, MOST_VARIANTS))):
            yield _variant(style, color, group, rng)


def _decks(rng: random.Random) -> Iterator[str]:
    while True:
        yield from rng.sample(COLORS, len(COLORS))


def _style(category: str, silhouette: str, name: str, rng: random.Random) -> Style:
    wording = _wording()
    _, department = _department(category)
    low, high = wording["prices"][category]
    price = round(low * (high / low) ** rng.random() / 50) * 50 + rng.choice((-1, -1, 49))
    return Style(
        name=f"{name} {_product_name(category, silhouette)}",
        brand=rng.choice(wording["brands"]),
        price=max(low, min(high, price)),
        category=category,
        silhouette=silhouette,
        material=rng.choice(MATERIALS[category]),
        pattern="plain" if rng.random() < PLAIN_SHARE else rng.choice(PATTERNS[1:]),
        detail=rng.choice(department["details"]),
    )


def _variant(style: Style, color: str, group: str, rng: random.Random) -> Ware:
    title, department = _department(style.category)
    pattern = rng.choice(PATTERNS) if rng.random() < OTHER_PATTERN_SHARE else style.pattern
    item = random_item(
        rng,
        category=style.category,
        color=color,
        pattern=pattern,
        silhouette=style.silhouette,
        material=style.material,
        background=rng.choice(department["backgrounds"]),
    )
    return Ware(
        # numbered when the assortment is shuffled, so that browsing by id shows a mixed window
        id="",
        group_id=group,
        name=style.name,
        brand=style.brand,
        category=f"{title}/{_first_upper(style.category)}",
        price=style.price,
        in_stock=rng.random() < IN_STOCK_SHARE,
        description=_description(style, item),
        care=rng.choice(department["care"]),
        item=item,
    )


def _description(style: Style, item: Item) -> str:
    printed = _wording()["prints"][item.pattern].format(accent=item.accent)
    look = f"{_first_upper(item.material)} {item.category} in {item.color}{printed}"
    return f"{look}, from {style.brand}. {style.detail}"


def _product_name(category: str, silhouette: str) -> str:
    special: dict[str, str] = _wording()["names"].get(category, {})
    if silhouette in special:
        return special[silhouette]
    # Words of one compound keep their case after the hyphen: V-neck, A-line, T-shirt.
    return " ".join(_first_upper(word) for word in f"{silhouette} {category}".split())


@cache
def _department(category: str) -> tuple[str, dict[str, list[str]]]:
    departments: dict[str, dict[str, list[str]]] = _wording()["departments"]
    return next(
        (title, words) for title, words in departments.items() if category in words["categories"]
    )


@cache
def _wording() -> dict[str, Any]:
    return tomllib.loads(files("demo").joinpath("assortment.toml").read_text("utf-8"))


def _first_upper(words: str) -> str:
    return words[0].upper() + words[1:]


def _slug(words: str) -> str:
    return words.replace(" ", "-")
