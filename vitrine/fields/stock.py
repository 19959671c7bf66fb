"""Whether a product can be bought, as shops in ten languages write it."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from vitrine.fields.numbers import parse_number, shown
from vitrine.fields.scalars import parse_bool
from vitrine.fields.words import word_lists

__all__ = ["parse_stock"]


def parse_stock(value: object) -> bool:
    """Whether a product can be bought: a truth, a stock count, or words such as "sold out".

    Orders are taken for what is on pre-order or back-order, so these can be bought. `ValueError`
    names the words that are known.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if math.isfinite(value):
            return value > 0
        raise ValueError(f"{shown(value)} is not a stock count")
    if not isinstance(value, str):
        return parse_bool(value)
    word = _folded(value.rpartition("/")[2])  # schema.org writes https://schema.org/InStock
    for truth, words in _words().items():
        if word in words or word.replace(" ", "") in words:
            return truth
    try:
        count = value.strip().lstrip("'>≥~ ").removesuffix("+")  # "10+", "> 5"
        return parse_number(count) > 0
    except ValueError:
        raise ValueError(
            f"{shown(value)} does not say whether it can be bought; write true, false, a count, "
            'or words such as "in stock" and "sold out", or translate it with values = {...} '
            "in the mapping"
        ) from None


def _folded(text: str) -> str:
    """The words for comparison: one blank between them, no case, no accents."""
    spaced = re.sub(r"[\s_\-]+", " ", text.strip().strip("'"))
    parts = unicodedata.normalize("NFKD", spaced.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c)).strip(" .!")


@lru_cache(maxsize=1)
def _words() -> dict[bool, frozenset[str]]:
    """Truth -> folded words of all languages, also written together."""
    lists = word_lists("stock")
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for language in lists.values():
        for key, truth in (("available", True), ("unavailable", False)):
            for text in language.get(key, ()):
                folded = _folded(text)
                words[truth] |= {folded, folded.replace(" ", "")}
    return {truth: frozenset(known) for truth, known in words.items()}
