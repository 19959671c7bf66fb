"""A version learns of itself: its words, and the constants that make signals a relevance."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vitrine.embedding import Embedder
from vitrine.embedding.many_texts import embed_many_texts
from vitrine.freed_memory import give_back_freed_memory
from vitrine.index import IndexVersions, VectorIndex
from vitrine.index.fusion import SearchModel, language_of, understood_fields
from vitrine.products import Product, Record
from vitrine.relevance import LearningSample, Lexicon, learn_relevance
from vitrine.understanding import (
    KnownValues,
    grammar_of,
    learn_known_values,
)
from vitrine.words import (
    Analyzer,
    DocumentWords,
    PostingsWriter,
    Vocabulary,
    VocabularyCounts,
    analyzer_of,
    document_words,
)
from vitrine.words.phrases import Phrase, PhraseCounts

__all__ = ["is_stale", "learn_if_stale", "learn_search_model", "learn_version"]

SAMPLE = 20_000
"""Products that constants are learned from; more hardly move them (`vitrine.relevance`)."""
_BATCH, _IDS = 256, 10_000
"""Products, and ids alone, that are read at once."""


def learn_version(
    versions: IndexVersions,
    index: VectorIndex,
    embedder: Embedder,
    *,
    check: Callable[[], None] = lambda: None,
) -> SearchModel | None:
    """Learn what a version's searches need, and keep it with the version.

    Searches and writes go on meanwhile; what is written meanwhile counts as changed since. Returns
    what was learned; None where nothing was: the version keeps no words, or is empty. `check` is
    called now and then, and may raise to give up.
    """
    if not index.info.words or index.count() == 0:
        return None
    model = learn_search_model(index, embedder, check=check)
    give_back_freed_memory()
    versions.learn(index.info.name, model)
    return model


def learn_if_stale(
    versions: IndexVersions,
    index: VectorIndex,
    embedder: Embedder,
    *,
    check: Callable[[], None] = lambda: None,
) -> SearchModel | None:
    """`learn_version` where nothing was learned yet or a fifth of the products changed since."""
    if not index.info.words or not is_stale(index):
        return None
    return learn_version(versions, index, embedder, check=check)


def is_stale(index: VectorIndex) -> bool:
    """Whether a version has yet to learn, or a fifth of it has been written or removed since it
    did.

    Removals show as far as they outnumber what was added.
    """
    known = index.search_model
    if known is None or known.mark is None:
        return True
    removed = max(known.constants.products - index.count(), 0)
    return known.constants.stale(index.count_written(known.mark) + removed)


def learn_search_model(
    index: VectorIndex, embedder: Embedder, *, check: Callable[[], None] = lambda: None
) -> SearchModel:
    """The vocabulary of all products, and constants from a random choice of `SAMPLE` of them.

    Every product is read once, after the ids; about 500 short texts are embedded. The same products
    give the same model. `ValueError` for a version without products.
    """
    mark = index.mark()
    analyzer = analyzer_of(language_of(index.info.mapping))
    vocabulary, values, phrases, sample = _read(index, analyzer, check)
    give_back_freed_memory()  # counting the words took more than what follows
    constants = learn_relevance(
        sample, Lexicon(vocabulary, analyzer), embed_texts=partial(embed_many_texts, embedder)
    )
    return SearchModel.of(vocabulary, values, constants, phrases, mark=mark)


def _read(
    index: VectorIndex, analyzer: Analyzer, check: Callable[[], None]
) -> tuple[Vocabulary, KnownValues, tuple[Phrase, ...], LearningSample]:
    """Read every product once."""
    mapping, schema = index.info.mapping, index.info.schema
    understood, phrasing = understood_fields(mapping), grammar_of(language_of(mapping))
    counts, phrases = VocabularyCounts(), PhraseCounts(understood, phrasing.color_names)
    sample = _Sample(index.scan_ids(batch=_IDS), index.info.dimension)

    def products() -> Iterator[Product]:
        for records in index.scan(batch=_BATCH):
            check()
            for record in records:
                document = document_words(record.product, schema, analyzer)
                counts.add([document])
                sample.offer(record, document)
                yield record.product
            phrases.add(record.product for record in records)

    values = learn_known_values(
        products(),
        schema,
        analyzer=analyzer,
        grammar=phrasing,
        understood=understood,
    )
    return counts.vocabulary(), values, phrases.phrases(), sample.drawn()


class _Sample:
    """A choice of products that does not depend on the order in which they are read: backends read
    in orders of their own, and learn the same.

    Those whose ids have the smallest hashes (bottom-k sampling, Cohen and Kaplan 2007): as good as
    drawn by lot. They are known from the ids alone, so that nothing is held of any other.
    """

    def __init__(self, ids: Iterable[Sequence[str]], dimension: int) -> None:
        hashed = ((_digest(name), name) for some in ids for name in some)
        self._rows = {name: row for row, (_, name) in enumerate(heapq.nsmallest(SAMPLE, hashed))}
        self._products: list[Product | None] = [None] * len(self._rows)
        self._pictures = np.zeros((len(self._rows), dimension), np.float32)
        self._texts: NDArray[np.float32] | None = np.zeros_like(self._pictures)
        self._words = PostingsWriter()

    def offer(self, record: Record, document: DocumentWords) -> None:
        """Take the next record, or not."""
        row = self._rows.pop(record.product.id, None)
        if row is None:
            return
        self._products[row] = _named(record.product)
        self._pictures[row] = record.vectors[0]
        self._words.add(row, document)
        if record.text_vector is None:
            self._texts = None
        elif self._texts is not None:
            self._texts[row] = record.text_vector

    def drawn(self) -> LearningSample:
        """What was taken, less the products that were removed meanwhile."""
        present = np.array([product is not None for product in self._products], bool)
        pictures, texts = self._pictures, self._texts
        if not present.all():
            pictures = pictures[present]
            texts = None if texts is None else texts[present]
        return LearningSample(
            products=[product for product in self._products if product is not None],
            postings=self._words.postings(len(pictures), places=np.cumsum(present) - 1),
            pictures=pictures,
            texts=texts,
        )


def _digest(product_id: str) -> bytes:
    return hashlib.blake2b(product_id.encode(), digest_size=8).digest()


def _named(product: Product) -> Product:
    """What constants are learned from; descriptions take ten times as much memory."""
    return Product(
        product.id,
        product.title,
        category=product.category,
        colors=product.colors,
        group_id=product.group_id,
    )
