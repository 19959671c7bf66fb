"""The questions that both indexes are asked: pages, filters, facets, orders and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.vectors import SCHEMA, SELECTIVITIES, share_filter
from vitrine.index import IndexQuery, VectorIndex
from vitrine.index.fusion import Fusion
from vitrine.queries import Sort
from vitrine.relevance import (
    CLOSE,
    BackgroundSample,
    RelevanceConstants,
    VectorModel,
    WordsModel,
    least_log_odds,
)
from vitrine.words import Analyzer, VocabularyCounts, document_words, query_words

__all__ = ["Question", "page", "questions", "questions_with_words"]


@dataclass(frozen=True)
class Question:
    """What is timed, for an index and the number of a vector, and what is done before."""

    ask: Callable[[VectorIndex, int], object]
    prepare: Callable[[VectorIndex, int], object] | None = None


def page(vectors: NDArray[np.float32], **options: Any) -> Question:
    """A page of 24 from 1,000 candidates, unless the options say otherwise."""
    return Question(
        lambda index, i: index.search(
            IndexQuery(vector=vectors[i], **{"candidates": 1000, "limit": 24, **options})
        )
    )


def questions(vectors: NDArray[np.float32]) -> Iterator[tuple[str, Question]]:
    """Questions by vector and without one, each with its name."""

    def searched(**options: Any) -> Question:
        return page(vectors, **options)

    def browsed(**options: Any) -> Question:
        return Question(lambda index, _: index.search(IndexQuery(limit=24, **options)))

    for name, share in SELECTIVITIES.items():
        tree = share_filter(share)
        yield f"page, {name}", searched(filter=tree)
        yield f"page, two facets, {name}", searched(filter=tree, facets=("color", "price"))
    yield "best ten", searched(candidates=10, limit=10)
    yield "later page", _later_page(vectors)
    yield "page of what looks like a product", searched(exclude=frozenset({"p00000001"}))
    yield "page by price, two facets", searched(sort=Sort("price"), facets=("color", "price"))
    yield "browse by id", browsed()
    yield "browse with two facets", browsed(facets=("color", "price"))
    yield "browse by price", browsed(sort=Sort("price"))
    yield "browse 1 % by title", browsed(sort=Sort("title"), filter=share_filter(0.01))


def questions_with_words(
    vectors: NDArray[np.float32], index: VectorIndex
) -> Iterator[tuple[str, Question]]:
    """Words and vectors together: words that few products have, and words of which every product
    has one. The constants are such as real catalogues teach; these products, whose texts say
    nothing of their vectors, teach none."""
    analyzer, counts, rows = Analyzer("en"), VocabularyCounts(), []
    for batch in index.scan(batch=1000):
        counts.add([document_words(r.product, SCHEMA, analyzer) for r in batch])
        rows += [r.vector for r in batch]
    vocabulary = counts.vocabulary()
    model = VectorModel(8.0, 0.5, 0.0, 0.0, -4.0)
    background = BackgroundSample(np.stack(rows[:1000]).astype(np.float16), None)
    constants = RelevanceConstants(
        model, model, WordsModel(6.0, 0.3, -2.0, 0.3, 0.5), background, products=len(rows)
    )

    def searched(text: str, **options: Any) -> Question:
        words = query_words(text, vocabulary, analyzer)
        fusion = Fusion(text, "", words, constants, "text", least_log_odds(CLOSE))
        return Question(
            lambda index, i: index.search(
                IndexQuery(vector=vectors[i], fusion=fusion, candidates=1000, limit=24, **options)
            )
        )

    yield "page by words and vector, few have a word", searched("red 123 456")
    yield "page by words and vector, a word that a twelfth has", searched("red")
    yield "page by words and vector, all have a word", searched("red thing")
    yield (
        "page by words and vector, two facets, all have a word",
        searched("red thing", facets=("color", "price")),
    )


def _later_page(vectors: NDArray[np.float32]) -> Question:
    """The third page; the two before it are read beforehand."""
    tokens: dict[tuple[str, int], Any] = {}

    def prepare(index: VectorIndex, i: int) -> None:
        query = IndexQuery(vector=vectors[i], candidates=1000, limit=24)
        second = index.search(replace(query, page_token=index.search(query).next_token))
        tokens[index.info.name, i] = second.next_token

    def ask(index: VectorIndex, i: int) -> object:
        token = tokens[index.info.name, i]
        return index.search(
            IndexQuery(vector=vectors[i], candidates=1000, limit=24, page_token=token)
        )

    return Question(ask, prepare)
