"""Exact keys: what a clerk types to find the one product, whatever its separators and case."""

from __future__ import annotations

import re
from functools import lru_cache

from vitrine.folding import fold
from vitrine.products import Product

__all__ = ["MAX_KEY", "code_keys", "exact_key", "exact_keys", "trade_number"]

MAX_KEY = 256
"""Characters of a key; nobody types more, and an index should not hold more."""

_SEPARATORS = re.compile(r"[\W_]+")
_TRADE_NUMBER = re.compile(r"[0-9]{12,14}")
"""GTIN-12 (UPC), GTIN-13 (EAN), GTIN-14: one number, written with or without zeros before it
(GS1)."""

_FILLED = re.compile(r"^0+[\W_]+(?=\d)|(?<!\d)0+(?=\d)")
"""The zeros before a number, also those that stand apart at the beginning ("0 986 479 C12")."""


@lru_cache(maxsize=1 << 13)
def exact_key(text: str) -> str:
    """The form in which codes and whole titles are compared: folded, without anything between.

    "" for a text that has no letter or digit, or more than `MAX_KEY` of them: it equals nothing.

    >>> exact_key("mh01 black") == exact_key("MH01-Black")
    True
    """
    key = _SEPARATORS.sub("", fold(text))
    return "" if len(key) > MAX_KEY else trade_number(key)


def trade_number(word: str) -> str:
    """A trade number with all its 14 digits; any other word as it is."""
    return word.zfill(14) if _TRADE_NUMBER.fullmatch(word) else word


def exact_keys(product: Product) -> tuple[str, ...]:
    """The keys by which a product is found exactly: id, codes, group id and title, each once.

    Codes also without the zeros that fill their numbers up, since few type them (SKU000012).
    """
    written = (product.id, *product.codes, product.group_id or "")
    short = (exact_key(_FILLED.sub("", text)) for text in written)
    keys = (*_codes(product), exact_key(product.title), *short)
    return tuple(dict.fromkeys(key for key in keys if key))


def code_keys(product: Product) -> tuple[str, ...]:
    """Those of its keys that nobody takes for a word or a number: they may stand among words ("MH01
    hoodie").

    Letters with digits, four together at least, or six digits.
    """
    return tuple(dict.fromkeys(key for key in _codes(product) if _CODE.fullmatch(key)))


_CODE = re.compile(r"(?=.*[^\W\d])(?=.*\d).{4,32}|\d{6,32}")


def _codes(product: Product) -> tuple[str, ...]:
    return tuple(map(exact_key, (product.id, *product.codes, product.group_id or "")))
