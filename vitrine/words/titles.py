"""The part of a title that names the thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vitrine.folding import fold
from vitrine.products import Product
from vitrine.words.analysis import Analyzer, Token

__all__ = ["named_words", "title_heads"]

_SEGMENT = re.compile(r"[(\[,;:|/]| - ")
"""What ends the part of a title that names the thing: "Running Tee (V-neck)", "Hat, wool"."""
_NUMBER = re.compile(r"\d+([^\W\d]*)")
"""A number, which may have its unit behind it: "128gb"."""


def named_words(product: Product, analyzer: Analyzer) -> list[list[Token]]:
    """The words of a product's title that may name the thing, in parts that each may name it.

    Its own brand and colors lie between parts ("Bookcase White Five Shelves"), as do stop words
    ("Set of Knives") and the number of a model ("iPhone 13 Case"). What describes the thing ("Chair
    with Arms") and sizes ("Strap 6 foot") end them.
    """
    language = analyzer.language
    between = {
        term for text in (product.brand, *product.color) if text for _, term in analyzer.words(text)
    }
    inside = language.conjunctions | language.links
    parts: list[list[Token]] = [[]]
    tokens = analyzer.tokens(_SEGMENT.split(fold(product.title), maxsplit=1)[0])
    for place, token in enumerate(tokens):
        number = _NUMBER.fullmatch(token.word)
        if token.word in language.describing or (number and _is_size(tokens, place, analyzer)):
            if any(parts):
                break
        elif number or token.term in between or (token.stop and token.word not in inside):
            parts.append([])
        elif not token.stop:
            parts[-1].append(token)
    return [part for part in parts if part]


def title_heads(product: Product, analyzer: Analyzer) -> list[str]:
    """The terms that may name the thing: the last word of each of `named_words`, the first one in
    languages that name the thing first."""
    place = 0 if analyzer.language.head == "first" else -1
    words = (
        [token.term for token in part if token.word.isalpha() and len(token.word) > 2]
        for part in named_words(product, analyzer)
    )
    return [terms[place] for terms in words if terms]


def _is_size(tokens: Sequence[Token], place: int, analyzer: Analyzer) -> bool:
    """Whether the number there counts units, or no word follows it."""
    number = _NUMBER.fullmatch(tokens[place].word)
    following = tokens[place + 1].word if place + 1 < len(tokens) else ""
    unit = (number[1] if number else "") or following
    return not following.isalpha() or unit in analyzer.language.units
