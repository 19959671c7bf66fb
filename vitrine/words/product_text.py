"""What an encoder reads of a product, for its text vector."""

from __future__ import annotations

from vitrine.products import Product

__all__ = ["product_text"]


def product_text(product: Product) -> str:
    """Title, colors, the last level of the first category and brand, as a caption would name them.

    Short, since encoders read about 77 tokens and are trained on captions; descriptions are for the
    word index.

    >>> product_text(Product(id="1", title="Hat", color=("Red",), category=("Men/Hats",)))
    'Hat, Red, Hats'
    """
    leaf = product.category[0].rpartition("/")[2] if product.category else ""
    parts = (product.title, *product.color, leaf, product.brand or "")
    return ", ".join(dict.fromkeys(part for part in parts if part))
