"""How much memory cached products and answers take, roughly: mostly the texts of products."""

from __future__ import annotations

from sys import getsizeof

from vitrine.products import Product

__all__ = ["ANSWER_NBYTES", "product_nbytes"]

ANSWER_NBYTES = 2000
"""Of an answer without its products."""
_PRODUCT = 1500
"""Bytes of a product without its texts."""


def product_nbytes(product: Product) -> int:
    """Bytes of a product, of which a single text may take 400,000."""
    size = _PRODUCT + getsizeof(product.title) + getsizeof(product.description)
    for value in (product.codes, product.category, *product.attributes.values()):
        size += sum(map(getsizeof, value)) if isinstance(value, tuple) else getsizeof(value)
    return size
