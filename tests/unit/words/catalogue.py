"""A few products, and their words, for the tests of the words room."""

from __future__ import annotations

from collections.abc import Sequence

from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema
from vitrine.products import Product
from vitrine.words import Analyzer, DocumentWords, Vocabulary, VocabularyCounts, document_words

SCHEMA = Schema(
    (
        *(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()),
        Field("material", FieldType.KEYWORD),
        Field("eco_collection", FieldType.BOOL),
    )
)
ENGLISH = Analyzer("en")


def words_of(product: Product, analyzer: Analyzer = ENGLISH) -> DocumentWords:
    return document_words(product, SCHEMA, analyzer)


def titled(*titles: str) -> list[Product]:
    return [Product(id=f"p{number}", title=title) for number, title in enumerate(titles)]


def vocabulary_of(products: Sequence[Product], analyzer: Analyzer = ENGLISH) -> Vocabulary:
    counts = VocabularyCounts()
    counts.add(words_of(product, analyzer) for product in products)
    return counts.vocabulary()
