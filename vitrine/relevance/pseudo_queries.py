"""Queries that a catalogue asks itself: pieces of its own titles, whose answers its own fields
tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from vitrine.products import Product
from vitrine.relevance.membership import Membership
from vitrine.words import Analyzer, Vocabulary

__all__ = ["PseudoQuery", "absent_words", "own_queries", "unsellable_texts"]


@dataclass(frozen=True, eq=False)
class PseudoQuery:
    """A text, its preferred words, and which products of the sample it truly matches, bool (n,)."""

    text: str
    preferred: tuple[str, ...]
    matches: NDArray[np.bool_]


def own_queries(
    products: Sequence[Product], analyzer: Analyzer, *, count: int, rng: np.random.Generator
) -> list[PseudoQuery]:
    """Up to `count` queries as shoppers type them: a title, its last two words, one word or a
    category, often with a color.

    A product matches where its title and categories have every word of the query but the color.
    """
    named = Membership([_terms(analyzer, product.title, *product.category) for product in products])
    queries = []
    for index in rng.permutation(len(products))[:count].tolist():
        words = _piece(products[index], analyzer, rng)
        if not words:
            continue
        own = products[index].colors
        color = [own[int(rng.integers(len(own)))]] if own and rng.random() < 0.5 else []
        matches = named.all_of(map(analyzer.term, words))
        queries.append(PseudoQuery(" ".join([*color, *words]), tuple(color), matches))
    return queries


def _terms(analyzer: Analyzer, *texts: str) -> set[str]:
    tokens = [token for text in texts for token in analyzer.tokens(text.replace("/", " "))]
    return {token.term for token in tokens if not token.stop}


def _piece(product: Product, analyzer: Analyzer, rng: np.random.Generator) -> list[str]:
    text, length = product.title, (None, 2, 1, None)[kind := int(rng.integers(4))]
    if kind == 3 and product.category:
        text = product.category[int(rng.integers(len(product.category)))].rpartition("/")[2]
    words = [token.word for token in analyzer.tokens(text) if not token.stop]
    return words if length is None else words[-length:]


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
