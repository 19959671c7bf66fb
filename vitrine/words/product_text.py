"""What an encoder reads of a product, for its text vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vitrine.products import Product

__all__ = ["embedded_fields", "product_text"]


def product_text(product: Product, fields: Sequence[str] = ()) -> str:
    """Title, colors, the last level of the first category, brand and further `fields`, as a caption
    would name them.

    Short, since encoders read about 77 tokens and are trained on captions; descriptions are for the
    word index.

    >>> product_text(Product(id="1", title="Hat", color=("Red",), category=("Men/Hats",)))
    'Hat, Red, Hats'
    """
    leaf = product.category[0].rpartition("/")[2] if product.category else ""
    parts = [product.title, *product.color, leaf, product.brand or ""]
    for name in fields:
        value = product.attributes.get(name)
        parts += value if isinstance(value, tuple) else [str(value or "")]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def embedded_fields(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The further fields that belong to a product's text, as a catalogue's mapping says."""
    fields = mapping.get("fields", {})
    return tuple(name for name, column in fields.items() if column.get("embed"))
