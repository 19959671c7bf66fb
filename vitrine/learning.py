"""A version learns of itself: its words, and the constants that make signals a relevance."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from operator import itemgetter

import numpy as np

from vitrine.embedding import Embedder
from vitrine.embedding.many_texts import embed_many_texts
from vitrine.index import IndexVersions, VectorIndex
from vitrine.index.fusion import SearchModel, language_of, understood_fields
from vitrine.products import Product, Record
from vitrine.relevance import LearningSample, Lexicon, learn_relevance
from vitrine.understanding import grammar, learn_known_values, understood_languages
from vitrine.words import Analyzer, DocumentWords, VocabularyCounts, document_words
from vitrine.words.suggestions import PhraseCounts

__all__ = ["is_stale", "learn_if_stale", "learn_search_model", "learn_version"]

SAMPLE = 20_000
"""Products that constants are learnt from; more hardly move them (`vitrine.relevance`)."""
_BATCH = 1000


def learn_version(
    versions: IndexVersions,
    index: VectorIndex,
    embedder: Embedder,
    *,
    check: Callable[[], None] = lambda: None,
) -> SearchModel | None:
    """Learn what a version's searches need, and keep it with the version.

    Searches and writes go on meanwhile; what is written meanwhile counts as changed since. Returns
    what was learnt; None where nothing was: the version keeps no words, or is empty. `check` is
    called now and then, and may raise to give up.
    """
    if not (versions.fuses and index.info.words) or index.count() == 0:
        return None
    model = learn_search_model(index, embedder, check=check)
    versions.learn(index.info.name, model)
    return model


def learn_if_stale(
    versions: IndexVersions,
    index: VectorIndex,
    embedder: Embedder,
    *,
    check: Callable[[], None] = lambda: None,
) -> SearchModel | None:
    """`learn_version` where nothing was learnt yet or a fifth of the products has changed since."""
    if not (versions.fuses and index.info.words) or not is_stale(index):
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

    Every product is read once; about 300 short texts are embedded. The same products give the same
    model. `ValueError` for a version without products.
    """
    mark, schema = index.mark(), index.info.schema
    analyzer = Analyzer(language_of(index.info.mapping))
    counts, sample, phrases = VocabularyCounts(), _Sample(), PhraseCounts()

    def products() -> Iterator[Product]:
        for records in index.scan(batch=_BATCH):
            check()
            documents = [document_words(r.product, schema, analyzer) for r in records]
            counts.add(documents)
            phrases.add(record.product for record in records)
            for record, document in zip(records, documents, strict=True):
                sample.offer(record, document)
                yield record.product

    mapping = index.info.mapping
    code = language_of(mapping)
    values = learn_known_values(
        products(),
        schema,
        analyzer=analyzer,
        grammar=grammar(*([code] if code in understood_languages() else [])),
        understood=understood_fields(mapping),
    )
    vocabulary = counts.vocabulary()
    constants = learn_relevance(
        sample.drawn(),
        Lexicon(vocabulary, analyzer),
        embed_texts=partial(embed_many_texts, embedder),
    )
    return SearchModel.of(vocabulary, values, constants, phrases.phrases(), mark=mark)


def _terms_alone(document: DocumentWords) -> DocumentWords:
    """What constants are learnt from; the words themselves take ten times as much memory."""
    nothing: frozenset[str] = frozenset()
    return DocumentWords(document.term_ids, document.values, nothing, nothing, frozenset(), ())


def _slim(record: Record) -> Record:
    """What constants are learnt from: descriptions and further pictures take most of the memory."""
    product = record.product
    named = Product(
        product.id,
        product.title,
        category=product.category,
        colors=product.colors,
        group_id=product.group_id,
    )
    return replace(record, product=named, vectors=record.vectors[:1].copy())


class _Sample:
    """A choice of products that does not depend on the order in which they are read: backends read
    in orders of their own, and learn the same.

    Those whose ids have the smallest hashes (bottom-k sampling, Cohen and Kaplan 2007): as good as
    drawn by lot.
    """

    def __init__(self) -> None:
        self._drawn: list[tuple[int, str, int, Record, DocumentWords]] = []
        """A heap of which the largest hash comes first: hashes are negative."""
        self._offered = 0

    def offer(self, record: Record, document: DocumentWords) -> None:
        """Take the next record, or not."""
        self._offered += 1
        product_id = record.product.id
        digest = hashlib.blake2b(product_id.encode(), digest_size=8).digest()
        negative = -int.from_bytes(digest, "big")
        is_full = len(self._drawn) >= SAMPLE
        if is_full and negative <= self._drawn[0][0]:
            return
        entry = (negative, product_id, self._offered, _slim(record), _terms_alone(document))
        if is_full:
            heapq.heapreplace(self._drawn, entry)
        else:
            heapq.heappush(self._drawn, entry)

    def drawn(self) -> LearningSample:
        """What was taken."""
        drawn = sorted(self._drawn, key=itemgetter(0, 1))
        records = [entry[3] for entry in drawn]
        texts = [record.text_vector for record in records]
        complete = [text for text in texts if text is not None]
        return LearningSample(
            products=[record.product for record in records],
            documents=[entry[4] for entry in drawn],
            pictures=np.stack([record.vectors[0] for record in records]),
            texts=np.stack(complete) if texts and len(complete) == len(texts) else None,
        )
