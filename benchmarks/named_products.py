"""Products with names and descriptions as shops have them, and a model that costs nothing."""

from __future__ import annotations

import itertools
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.vectors import COLORS
from vitrine.fields.mapping import Mapping
from vitrine.products import Product, Record
from vitrine.words import product_text

__all__ = ["DEAREST", "DIMENSION", "MAPPING", "WordsEmbedder", "products", "records_of"]

DIMENSION = 512
_FIELDS = ("id", "title", "image", "price", "color", "category", "brand", "description")
MAPPING = Mapping.from_dict({"product": {name: name for name in _FIELDS}})
KINDS = 200
SERIES = 4000
PROSE = 5000
"""Words of which descriptions are made; the commonest stands in one of nine places (Zipf)."""
DEAREST = 500.0
NOISE = 3.0
"""Of a picture, per dimension, where each word adds 1: a query's cosine with what it means is then
about 0.3 and with the rest 0.0, of a deviation of 0.04."""


class WordsEmbedder:
    """A stand-in for the model that costs nothing: each word has a direction, a text is the sum of
    its words, and a picture lies near the words for what it shows."""

    def __init__(self, dimension: int = DIMENSION) -> None:
        from vitrine.embedding import ModelInfo

        self.info = ModelInfo("stub", "0" * 64, dimension, 20.0, 224)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A unit row for each text, (texts, dimension)."""
        return _unit([np.sum([*map(self._direction, _words(text))], axis=0) for text in texts])

    def embed_images(self, images: list[object]) -> NDArray[np.float32]:
        """No query of this benchmark has a picture."""
        raise ValueError("the benchmark of words asks with texts alone")

    def truncates(self, text: str) -> bool:
        """Never."""
        return False

    def pictures_of(self, named: Sequence[Product], *, seed: int) -> NDArray[np.float32]:
        """A unit row for each product, (products, dimension): the color and the kind that its title
        ends with, what all pictures have in common, and noise; series and brand do not show."""
        rng = np.random.default_rng(seed)
        rows = []
        for product in named:
            color, kind = product.title.split()[-2:]
            noise = NOISE * rng.standard_normal(self.info.dimension, dtype=np.float32)
            meant = 0.5 * self._direction(color) + self._direction(kind)
            rows.append(self._direction("") + meant + noise)
        return _unit(rows)

    def _direction(self, word: str) -> NDArray[np.float32]:
        return direction(word, self.info.dimension)


@cache
def direction(word: str, dimension: int) -> NDArray[np.float32]:
    """What the word adds to a vector, (dimension,): the same in every run."""
    rng = np.random.default_rng(zlib.crc32(word.encode()))
    return rng.standard_normal(dimension, dtype=np.float32)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold()) or [""]


def _unit(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    matrix = np.stack(rows)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def products(count: int, *, seed: int, prose: int = 0) -> Iterator[Product]:
    """Products with names as shops have them, a brand, a series, a color and a kind, and
    descriptions of `prose` words."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word() -> str:
        return "".join(rng.choices(letters, k=rng.randint(4, 9)))

    kinds, series = [word() for _ in range(KINDS)], [word() for _ in range(SERIES)]
    brands = [word() for _ in range(50)]
    told = [word() for _ in range(PROSE)]
    zipf = list(itertools.accumulate(1 / rank for rank in range(1, PROSE + 1)))
    for number in range(count):
        color, kind = rng.choice(COLORS), rng.choice(kinds)
        yield Product(
            id=f"SKU-{number:08}",
            title=f"{rng.choice(series)} {rng.choice(series)} {color} {kind}",
            price=round(rng.uniform(0, DEAREST), 2),
            currency="EUR",
            color=(color,),
            colors=(color,),
            category=(f"shop/{kind}",),
            brand=rng.choice(brands),
            description=" ".join(rng.choices(told, cum_weights=zipf, k=prose)) or None,
        )


def records_of(
    named: Sequence[Product], embedder: WordsEmbedder, *, seed: int, text_vectors: bool
) -> list[Record]:
    """The products with their pictures, and the vectors of their texts where they are asked for."""
    pictures = embedder.pictures_of(named, seed=seed)
    records = [Record.of_picture(p, row, "0" * 64) for p, row in zip(named, pictures, strict=True)]
    if not text_vectors:
        return records
    texts = embedder.embed_texts([product_text(product) for product in named])
    return [replace(record, text_vector=row) for record, row in zip(records, texts, strict=True)]
