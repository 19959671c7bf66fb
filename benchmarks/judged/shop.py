"""A catalogue in memory: its products, vectors, words, and what was learned of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vitrine.embedding.ports import Embedder
from vitrine.fields.mapping import Mapping
from vitrine.fields.schema import Schema
from vitrine.products import Product
from vitrine.relevance import (
    LearningSample,
    Lexicon,
    RelevanceConstants,
    learn_relevance,
)
from vitrine.understanding import QueryReader, grammar, learn_known_values
from vitrine.words import (
    Analyzer,
    Postings,
    VocabularyCounts,
    document_words,
    product_text,
)

__all__ = ["Shop", "embed_photos", "open_shop", "read_products"]

BATCH = 32
SIDE = 512
"""Pixels of the longer side at which photos are held before the model scales them further."""


@dataclass(frozen=True, eq=False)
class Shop:
    """All that answers a query, as an index and the engine would hold it."""

    products: Sequence[Product]
    schema: Schema
    sample: LearningSample
    lexicon: Lexicon
    constants: RelevanceConstants
    exact_keys: Sequence[tuple[str, ...]]
    """What each product is found by exactly."""
    reader: QueryReader
    embedder: Embedder
    learning_s: float


def open_shop(folder: Path, mapping: Mapping, embedder: Embedder) -> Shop:
    """Read `products.jsonl` and the photos it names from a folder, embed them, learn the
    constants."""
    rows = _rows(folder)
    products = read_products(folder, mapping)
    schema, language = mapping.schema(), mapping.language or "en"
    analyzer = Analyzer(language)
    documents = [document_words(product, schema, analyzer) for product in products]
    counts = VocabularyCounts()
    counts.add(documents)
    lexicon = Lexicon(counts.vocabulary(), analyzer)
    sample = LearningSample(
        products,
        Postings.of(documents),
        embed_photos((folder / row["image"] for row in rows), embedder),
        _embed_texts([product_text(product) for product in products], embedder),
    )
    started = perf_counter()
    constants = learn_relevance(
        sample, lexicon, embed_texts=lambda texts: _embed_texts(texts, embedder)
    )
    learning_s = perf_counter() - started
    understood = {n: column.label for n, column in mapping.fields.items() if column.understand}
    words = grammar(language)
    known = learn_known_values(
        products, schema, analyzer=analyzer, grammar=words, understood=understood
    )
    reader = QueryReader(
        schema,
        grammar=words,
        analyzer=analyzer,
        vocabulary=lexicon.vocabulary,
        known=known,
        understood=understood,
    )
    return Shop(
        products,
        schema,
        sample,
        lexicon,
        constants,
        [document.exact_keys for document in documents],
        reader,
        embedder,
        learning_s,
    )


def read_products(folder: Path, mapping: Mapping) -> list[Product]:
    """The products of a folder's `products.jsonl`."""
    return [mapping.read(row, number) for number, row in enumerate(_rows(folder))]


def _rows(folder: Path) -> list[dict[str, Any]]:
    with (folder / "products.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def embed_photos(files: Iterable[Path], embedder: Embedder) -> NDArray[np.float32]:
    """A row for each photo, (photos, dimension)."""
    rows: list[NDArray[np.float32]] = []
    batch: list[Image.Image] = []
    for file in files:
        with Image.open(file) as photo:
            photo.draft("RGB", (SIDE, SIDE))
            small = photo.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        batch.append(small)
        if len(batch) == BATCH:
            rows.append(embedder.embed_images(batch))
            batch = []
    if batch:
        rows.append(embedder.embed_images(batch))
    return np.concatenate(rows)


def _embed_texts(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    return np.concatenate(
        [
            embedder.embed_texts(texts[start : start + BATCH])
            for start in range(0, len(texts), BATCH)
        ]
    )
