"""How much memory cached products and answers take, roughly: mostly their texts."""

from __future__ import annotations

from sys import getsizeof

from vitrine.index.ports import IndexAnswer
from vitrine.products import Product

__all__ = ["answer_nbytes", "product_nbytes"]

_ANSWER, _PRODUCT = 2000, 1500
"""Bytes of an answer without its hits, and of a product without its texts."""


def answer_nbytes(answer: IndexAnswer) -> int:
    """Bytes of an answer with its products."""
    return _ANSWER + sum(product_nbytes(hit.product) for hit in answer.hits)


def product_nbytes(product: Product) -> int:
    """Bytes of a product, of which a single text may take 400,000."""
    size = _PRODUCT + getsizeof(product.title) + getsizeof(product.description)
    for value in (product.codes, product.category, *product.attributes.values()):
        size += sum(map(getsizeof, value)) if isinstance(value, tuple) else getsizeof(value)
    return size
