"""What the tests' shop sells: plain colored pictures with every kind of field, so that each
answer can be worked out by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

from PIL import Image

from tests.fakes import COLORS
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.products import Product

CATEGORIES = ("Clothing/Dress", "Clothing/Coat", "Home/Mug")
PATTERNS = ("plain", "striped", "dotted", "plain")

SCHEMA = Schema(
    (
        Field("id", FieldType.KEYWORD),
        Field("title", FieldType.TEXT),
        Field("price", FieldType.MONEY),
        Field("compare_at_price", FieldType.MONEY),
        Field("url", FieldType.TEXT),
        Field("currency", FieldType.KEYWORD),
        Field("color", FieldType.COLOR),
        Field("category", FieldType.PATH),
        Field("brand", FieldType.KEYWORD),
        Field("in_stock", FieldType.BOOL),
        Field("group_id", FieldType.KEYWORD),
        Field("pattern", FieldType.KEYWORD),
        Field("added", FieldType.DATETIME),
        Field("sale", FieldType.BOOL),
    )
)


def product(number: int) -> Product:
    """The product of a number from 0 on; the fields have different periods, so they mix."""
    color = list(COLORS)[number % 6]
    category = CATEGORIES[number // 6 % 3]
    return Product(
        id=f"p/{number:03d}",
        title=f"{color.title()} {category.rpartition('/')[2].lower()} {number}",
        price=None if number == 5 else 10.0 + number + (0.5 if number == 7 else 0),
        compare_at_price=25.0 if number == 9 else None,
        currency="EUR",
        url=f"https://shop.example/things/{number}" if number % 2 else None,
        color=(color.title(),),
        colors=(color,),
        category=(category,),
        description=f"A {color} thing.",
        brand=f"Maker {number % 14:02d}",
        in_stock=number % 5 != 0,
        group_id=f"style-{number // 2:02d}",
        attributes={
            "pattern": (PATTERNS[number % 4],),
            "added": datetime(2026, 1 + number % 12, 15, tzinfo=UTC),
            "sale": number % 9 == 0,
        },
    )


STOCK = tuple(product(number) for number in range(90))


def picture(
    color: str, *, shade: int = 0, size: tuple[int, int] = (64, 64), form: str = "PNG"
) -> bytes:
    """A plain picture; a shade makes it another one of the same color."""
    red, green, blue = COLORS[color]
    written = io.BytesIO()
    Image.new("RGB", size, (red, green, abs(blue - shade))).save(written, form)
    return written.getvalue()


SEVERAL = "p/088"
"""A product with three pictures."""
LIKE_THE_LAST = "p/082"
"""The product whose picture is the third one of `SEVERAL`."""


def pictures_of(number: int) -> list[bytes]:
    """The pictures of a product, the main one first."""
    product = STOCK[number]
    first = picture(product.colors[0], shade=number)
    if product.id != SEVERAL:
        return [first]
    wide = picture(product.colors[0], shade=100, size=(120, 60))
    return [first, wide, *pictures_of(int(LIKE_THE_LAST[2:]))]


def those(fits: Callable[[Product], bool]) -> list[str]:
    """The ids of the products that fit, in the catalogue's order."""
    return [p.id for p in STOCK if fits(p)]
