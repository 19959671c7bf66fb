"""A seeded catalogue with every field type, missing values, duplicates and awkward text."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from vitrine.fields.colors import families
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.products import Product, Record, Vector

__all__ = ["DIMENSION", "SCHEMA", "make_catalogue", "make_record", "unit"]

DIMENSION = 32

SCHEMA = Schema(
    (
        Field("id", FieldType.KEYWORD),
        Field("title", FieldType.TEXT),
        Field("price", FieldType.MONEY),
        Field("currency", FieldType.KEYWORD),
        Field("color", FieldType.COLOR),
        Field("category", FieldType.PATH),
        Field("description", FieldType.TEXT),
        Field("brand", FieldType.KEYWORD),
        Field("in_stock", FieldType.BOOL),
        Field("group_id", FieldType.KEYWORD),
        Field("pattern", FieldType.KEYWORD),
        Field("rating", FieldType.NUMBER),
        Field("added", FieldType.DATETIME),
        Field("organic", FieldType.BOOL),
        Field("care", FieldType.TEXT),
    )
)

WORDS = [
    "red",
    "mug",
    "tea-pot",
    "Straße",
    "STRASSE",
    "Überwurf",
    "wool",
    "linen",
    "𝒳yz",
    "naïve",
    "été",
    "shirt",
    "12",
    "3XL",
    "don't",
    "漢字",
    "😀",
    "jacket",
]
COLORS = [
    "red",
    "Navy Blue",
    "off-white",
    "teal",
    "Midnight",
    "grau",
    "multicolor",
    "Rose Gold",
    "ROT",
]
CATEGORIES = [
    "Men/Tops/Jackets",
    "Men/Tops",
    "Men",
    "Women/Dresses",
    "Women",
    "Sale",
    "Men/Topshelf",
    "Über/Öl",
    "WOMEN/dresses",
    "men/Tops/jackets",
]
BRANDS = ["Acme", "acme", "Ünïcode", "日本", "A", "Z/Z", "O'Neill"]
PATTERNS = ["plain", "striped", "dotted", "floral", "Dotted", "flôral"]


def unit(row: np.ndarray) -> Vector:
    """The row scaled to length 1, float32."""
    return (row / np.linalg.norm(row)).astype(np.float32)


def make_record(
    product_id: str,
    rng: random.Random,
    *,
    center: np.ndarray | None = None,
    images: tuple[int, int] = (1, 1),
) -> Record:
    """A record whose every value is drawn; each optional field is empty now and then.

    It has a number of pictures within `images`; now and then one is there twice.
    """

    def maybe(value, chance=0.8):
        return value if rng.random() < chance else None

    color = tuple(rng.sample(COLORS, rng.randint(0, 2)))
    attributes = {
        "pattern": maybe(tuple(rng.sample(PATTERNS, rng.randint(1, 2)))),
        "rating": maybe(rng.choice([rng.uniform(-5, 5), float(rng.randint(0, 5))])),
        "added": maybe(
            datetime(2026, 1, 1, tzinfo=UTC)
            + timedelta(hours=rng.randint(0, 500), microseconds=rng.randint(0, 3))
        ),
        "organic": maybe(rng.random() < 0.5),
        "care": maybe(" ".join(rng.choices(WORDS, k=4))),
    }
    product = Product(
        id=product_id,
        title=" ".join(rng.choices(WORDS, k=rng.randint(1, 4))),
        price=maybe(rng.choice([round(rng.uniform(0, 200), 2), float(rng.randint(1, 5))])),
        currency=maybe("EUR"),
        color=color,
        colors=families(color),
        category=tuple(rng.sample(CATEGORIES, rng.randint(0, 2))),
        description=maybe(" ".join(rng.choices(WORDS, k=8)), 0.6),
        brand=maybe(rng.choice(BRANDS)),
        in_stock=maybe(rng.random() < 0.7),
        group_id=maybe(f"g{rng.randint(0, 60)}", 0.7),
        attributes={name: value for name, value in attributes.items() if value is not None},
    )
    count = 1 if images == (1, 1) else rng.randint(*images)
    pictures = [make_picture(rng, center)]
    while len(pictures) < count:
        pictures.append(
            rng.choice(pictures) if rng.random() < 0.1 else make_picture(rng, center, spread=0.8)
        )
    return Record(
        product, np.stack([vector for vector, _ in pictures]), tuple(key for _, key in pictures)
    )


def make_picture(
    rng: random.Random, center: np.ndarray | None, *, spread: float = 0.3
) -> tuple[np.ndarray, str]:
    """A picture's vector, near the center where there is one, and its key."""
    noise = np.asarray([rng.gauss(0, 1) for _ in range(DIMENSION)])
    vector = unit(noise if center is None else center + spread * noise)
    return vector, f"{rng.getrandbits(256):064x}"


def make_catalogue(size: int, seed: int, *, images: tuple[int, int] = (1, 1)) -> list[Record]:
    """Records with ids that sort otherwise than they were made.

    Some share their vectors exactly.
    """
    rng = random.Random(seed)
    centers = np.random.default_rng(seed).standard_normal((8, DIMENSION))
    ids = [f"p{i}" for i in range(size - 4)] + ["ähnlich", "Z", "z z", "𝒳"][: min(size, 4)]
    rng.shuffle(ids)
    records = [make_record(i, rng, center=rng.choice(centers), images=images) for i in ids]
    for i in range(0, size - 1, 13):
        records[i + 1] = replace(records[i], product=records[i + 1].product)
    return records
