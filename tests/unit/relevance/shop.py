"""A small shop with an embedder that knows its words, for the tests of relevance."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.unit.words.catalogue import ENGLISH, SCHEMA, vocabulary_of
from vitrine.products import Product
from vitrine.relevance import LearningSample, Lexicon
from vitrine.words import Postings, document_words

DIMENSION = 64
COLORS = ("red", "blue", "green", "black")
THINGS = ("hat", "scarf", "glove", "jacket", "sock", "dress", "mug", "lamp")
NAMES = ("Alba", "Cove", "Indra", "Sable", "Orla", "Fable")


def embed_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    """A direction for each word: texts that share words are close."""
    rows = np.array([sum((_direction(w) for w in text.lower().split()), start=0) for text in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _direction(word: str) -> NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)


def products() -> list[Product]:
    return [
        Product(
            id=f"{name}-{thing}-{color}",
            title=f"{name} {thing.title()}",
            category=(f"All/{thing.title()}s",),
            color=(color.title(),),
            colors=(color,),
            group_id=f"{name}-{thing}",
            description="Goes with every dress." if thing == "sock" else None,
        )
        for name in NAMES
        for thing in THINGS
        for color in COLORS
    ]


def sample_of(listed: Sequence[Product], *, seed: int = 0) -> LearningSample:
    """The shop's vectors: a picture shows thing and color, with noise.

    A text says title and color.
    """
    rng = np.random.default_rng(seed)
    shown = [f"{p.title.split()[1]} {p.colors[0]}" for p in listed]
    pictures = embed_texts(shown) + rng.normal(scale=0.12, size=(len(listed), DIMENSION))
    pictures = pictures / np.linalg.norm(pictures, axis=1, keepdims=True)
    return LearningSample(
        listed,
        Postings.of(document_words(product, SCHEMA, ENGLISH) for product in listed),
        pictures.astype(np.float32),
        embed_texts([f"{p.title} {p.colors[0]}" for p in listed]),
    )


def lexicon_of(listed: Sequence[Product]) -> Lexicon:
    return Lexicon(vocabulary_of(listed), ENGLISH)
