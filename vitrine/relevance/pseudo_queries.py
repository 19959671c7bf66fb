"""Queries made of a catalogue's titles and categories, whose answers are known from its fields."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from vitrine.products import Product
from vitrine.relevance.membership import Membership
from vitrine.words import Analyzer, Vocabulary, is_known, named_words

__all__ = ["PseudoQuery", "absent_texts", "absent_words", "other_kinds", "own_queries"]


UNKNOWN = "zqxwv"
"""A word that no catalogue has."""


@dataclass(frozen=True, eq=False)
class PseudoQuery:
    """A query whose answers are known: `text` is what the encoder gets, `words` what the word index
    gets, `preferred` are those of the words that are preferred, and `matches` says which products
    of the sample are meant, bool (n,)."""

    text: str
    words: str
    preferred: tuple[str, ...]
    matches: NDArray[np.bool_]


def own_queries(
    products: Sequence[Product],
    vocabulary: Vocabulary,
    analyzer: Analyzer,
    *,
    count: int,
    rng: np.random.Generator,
) -> list[PseudoQuery]:
    """`count` queries or a few less, as shoppers type them: a title, the last two words of what
    names the thing in it, the last one (the first in languages that name it first) or a category,
    often with a color.

    A product matches where its title and categories have every word of the query but the color, in
    one of its forms.
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
        terms = map(analyzer.term, words)
        matches = named.all_of(vocabulary.forms_of(term, analyzer) for term in terms)
        text = " ".join([*color, *words])
        if color and rng.random() < 0.5:
            matches &= colored.any_of(color)
            queries.append(PseudoQuery(text, " ".join(words), (), matches))
        else:
            queries.append(PseudoQuery(text, text, tuple(color), matches))
    return queries


def _terms(analyzer: Analyzer, *texts: str) -> set[str]:
    tokens = [token for text in texts for token in analyzer.tokens(text.replace("/", " "))]
    return {token.term for token in tokens if not token.stop}


def _piece(product: Product, analyzer: Analyzer, rng: np.random.Generator) -> list[str]:
    length = (None, 2, 1, None)[kind := int(rng.integers(4))]
    if length is not None:
        words = _named(product, analyzer)
        return words[:length] if analyzer.language.head == "first" else words[-length:]
    text = product.title
    if kind == 3 and product.category:
        leaf = product.category[int(rng.integers(len(product.category)))].rpartition("/")[2]
        parts = analyzer.language.parts_of(leaf)
        text = parts[int(rng.integers(len(parts)))]
    return [token.word for token in analyzer.tokens(text) if not token.stop]


def _named(product: Product, analyzer: Analyzer) -> list[str]:
    return [token.word for part in named_words(product, analyzer) for token in part]


def absent_words(
    vocabulary: Vocabulary, analyzer: Analyzer, *, count: int, rng: np.random.Generator
) -> list[list[str]]:
    """Queries for what the catalogue does not sell, though it knows a word of them, `count` or a
    few less in four kinds.

    One or two words that stand in prose alone ("washing machine" in a shop for clothes); one that
    only says how a thing is beside a word that nobody knows ("leather zqxwv"); and a thing of the
    shop that only describes another ("coffee table" where coffee is sold).
    """
    prose: list[str] = []
    facts: list[str] = []
    things: list[str] = []
    for word in vocabulary.words:
        term = analyzer.term(word)
        if len(word) <= 3 or not word.isalpha() or vocabulary.compounds_of(term, analyzer):
            continue
        if vocabulary.is_subject(term):
            things.append(word)
        else:
            (facts if vocabulary.is_name(term, analyzer) else prose).append(word)

    def drawn(pool: Sequence[str]) -> list[str]:
        return [pool[int(rng.integers(len(pool)))] for _ in range(count // 4 if pool else 0)]

    pairs = zip(drawn(prose), drawn(prose), strict=True)
    return [
        drawn(prose),
        [f"{first} {second}" for first, second in pairs],
        [f"{fact} {UNKNOWN}" for fact in drawn(facts)],
        [f"{thing} {UNKNOWN}" for thing in drawn(things)],
    ]


def absent_texts(vocabulary: Vocabulary, analyzer: Analyzer) -> list[list[str]]:
    """Texts that name what the catalogue lacks, in two kinds: what no shop sells, and the ordinary
    goods of other shops, those of which no product has a word.

    Goods come in the catalogue's language where they are listed in it, else in English.
    """
    files = resources.files(__package__)
    unsellable = (files / "unsellable.txt").read_text("utf-8").splitlines()
    listed = tomllib.loads((files / "goods.toml").read_text("utf-8"))
    goods = re.split(r"[|\n]", listed.get(analyzer.language.code, listed["en"]).strip())
    return [unsellable, [text for text in goods if not _has_word(text, vocabulary, analyzer)]]


def other_kinds(
    products: Sequence[Product],
    goods: Sequence[str],
    analyzer: Analyzer,
    *,
    count: int,
    rng: np.random.Generator,
) -> list[str]:
    """Texts that name things of the catalogue in kinds that it lacks, `count` or a few less: what a
    title calls its product beside a word of other shops' goods, as "camera bag"."""
    words = [token.word for text in goods for token in analyzer.tokens(text) if not token.stop]
    texts = []
    for index in rng.integers(len(products), size=count if words else 0).tolist():
        named = _named(products[index], analyzer)
        kind = words[int(rng.integers(len(words)))]
        if named:
            first = analyzer.language.head == "first"
            texts.append(f"{named[0]} {kind}" if first else f"{kind} {named[-1]}")
    return texts


def _has_word(text: str, vocabulary: Vocabulary, analyzer: Analyzer) -> bool:
    words = [token.word for token in analyzer.tokens(text) if not token.stop]
    return any(is_known(word, vocabulary, analyzer, around=words) for word in words)
