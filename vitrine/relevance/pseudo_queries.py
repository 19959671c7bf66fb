"""Queries that a catalogue asks itself: pieces of its own titles, whose answers its own fields
tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from vitrine.products import Product
from vitrine.relevance.membership import Membership
from vitrine.words import Analyzer, Vocabulary, title_head

__all__ = ["PseudoQuery", "absent_words", "own_queries", "unsellable_texts"]


@dataclass(frozen=True, eq=False)
class PseudoQuery:
    """A text for the encoder, its words for the word index and those of them that are preferred,
    and which products of the sample it truly matches, bool (n,)."""

    text: str
    words: str
    preferred: tuple[str, ...]
    matches: NDArray[np.bool_]


def own_queries(
    products: Sequence[Product], analyzer: Analyzer, *, count: int, rng: np.random.Generator
) -> list[PseudoQuery]:
    """`count` queries or a few less, as shoppers type them: a title, the last two words of what
    names the thing in it, the last one (the first in languages that name it first) or a category,
    often with a color.

    A product matches where its title and categories have every word of the query but the color.
    In half of those with a color no word says it, only the pictures and texts do: then what matches
    has the color. So shoppers ask for what no field of a catalogue knows.
    """
    colored = Membership([product.colors for product in products])
    named = Membership([_terms(analyzer, product.title, *product.category) for product in products])
    queries = []
    turns = [rng.permutation(len(products)) for _ in range(-(-count // len(products)))]
    for index in np.concatenate(turns)[:count].tolist():
        words = _piece(products[index], analyzer, rng)
        if not words:
            continue
        own = products[index].colors
        color = [own[int(rng.integers(len(own)))]] if own and rng.random() < 0.5 else []
        matches = named.all_of(map(analyzer.term, words))
        text = " ".join([*color, *words])
        if color and rng.random() < 0.5:
            matches &= colored.any_of(color)
            queries.append(PseudoQuery(text, " ".join(words), (), matches))
        else:
            queries.append(PseudoQuery(text, text, tuple(color), matches))
    return queries


_PARTS = re.compile(r"[&,+]")
"""Between things that share a category: "Hoodies & Sweatshirts" are asked for one by one."""


def _terms(analyzer: Analyzer, *texts: str) -> set[str]:
    tokens = [token for text in texts for token in analyzer.tokens(text.replace("/", " "))]
    return {token.term for token in tokens if not token.stop}


def _piece(product: Product, analyzer: Analyzer, rng: np.random.Generator) -> list[str]:
    length = (None, 2, 1, None)[kind := int(rng.integers(4))]
    text = product.title if length is None else title_head(product.title)
    if kind == 3 and product.category:
        leaf = product.category[int(rng.integers(len(product.category)))].rpartition("/")[2]
        parts = _PARTS.split(leaf)
        text = parts[int(rng.integers(len(parts)))]
    words = [token.word for token in analyzer.tokens(text) if not token.stop]
    if length is None:
        return words
    return words[:length] if analyzer.language.head == "first" else words[-length:]


def absent_words(
    vocabulary: Vocabulary, analyzer: Analyzer, *, count: int, rng: np.random.Generator
) -> list[str]:
    """Queries for what the catalogue does not sell, though it knows a word of them.

    One or two words that stand in prose alone ("washing machine" in a shop for clothes), or one
    that only says how a thing is and a word that nobody knows ("leather zqxw").
    """
    plain = [
        (word, int(names))
        for word, names in zip(vocabulary.words, vocabulary.name_counts.tolist(), strict=True)
        if len(word) > 3 and word.isalpha() and not vocabulary.is_subject(analyzer.term(word))
    ]
    prose = [word for word, names in plain if names == 0]
    facts = [word for word, names in plain if names > 0]
    queries = []
    for pool, other in ((prose, ""), (prose, "prose"), (facts, "zqxwv")):
        for _ in range(count // 3 if pool else 0):
            first = pool[int(rng.integers(len(pool)))]
            second = pool[int(rng.integers(len(pool)))] if other == "prose" else other
            queries.append(f"{first} {second}".strip())
    return queries


def unsellable_texts() -> list[str]:
    """Texts that name what no shop sells."""
    text = (resources.files(__package__) / "unsellable.txt").read_text("utf-8")
    return text.splitlines()
