"""Answers a query as the engine does, and by each signal alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged.shop import Shop
from vitrine.filters import All, AnyOf, Condition, Filter, Not, parse_filter
from vitrine.products import Product, Value
from vitrine.relevance import CLOSE, QueryRelevance, Signals, drop, pushed_log_odds, relevance_of
from vitrine.words import query_words

__all__ = ["SIGNALS", "Answer", "answer"]

SIGNALS = ("picture", "text", "words", "fused")
Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answer:
    """For each signal the ids of products, best first.

    `close` are those of the answer with the cutoff.
    """

    ranked: Mapping[str, list[str]]
    close: list[str]


def answer(shop: Shop, text: str) -> Answer:
    """Rank all products for a query: by each signal alone as it was typed, fused as it is
    understood."""
    alone = _signals(shop, text, text)
    scores = {
        "picture": np.asarray(alone.picture),
        "text": np.asarray(alone.text),
        "words": np.asarray(alone.words) + np.asarray(alone.exact),
    }
    ranked = {
        name: _in_order(shop, values, np.full(len(shop.products), True))
        for name, values in scores.items()
    }
    log_odds, inside, close = _fused(shop, text)
    ranked["fused"] = _in_order(shop, log_odds, inside)
    return Answer(ranked, _in_order(shop, log_odds, close))


def _fused(shop: Shop, text: str) -> tuple[Scores, NDArray[np.bool_], NDArray[np.bool_]]:
    """Log-odds, the products under the filter, and those that are close."""
    read = shop.reader.read(text)
    filters = [parse_filter(dict(one), shop.schema) for one in read.filters]
    inside = np.array([all(_holds(f, product) for f in filters) for product in shop.products])
    if not read.words:
        log_odds = np.zeros(len(shop.products))
    else:
        log_odds = _log_odds(
            shop,
            read.words,
            text,
            preferred=read.preferred,
            extra=read.extra,
            named=read.named,
            vague=read.vague,
            narrows=bool(filters),
        )
    close = inside & (relevance_of(log_odds) >= CLOSE)
    if read.negatives:
        negatives = relevance_of(np.stack([_log_odds(shop, n, n) for n in read.negatives]))
        close &= ~drop(negatives)
        inside &= ~drop(negatives)
        log_odds = pushed_log_odds(log_odds, negatives)
    return log_odds, inside, close


def _signals(shop: Shop, words: str, whole: str, **options: object) -> Signals:
    vector = shop.embedder.embed_texts([words])[0]
    query = query_words(
        words,
        shop.lexicon.vocabulary,
        shop.lexicon.analyzer,
        whole=whole,
        **options,  # type: ignore[arg-type]
    )
    exact = [
        bool(query.exact_key) and query.exact_key in exact_keys for exact_keys in shop.exact_keys
    ]
    texts = shop.sample.texts
    return Signals(
        shop.sample.pictures @ vector,
        np.zeros(len(shop.products)) if texts is None else texts @ vector,
        shop.sample.postings.scores(query),
        np.array(exact),
    )


def _log_odds(
    shop: Shop,
    words: str,
    whole: str,
    *,
    vague: bool = False,
    narrows: bool = False,
    **options: object,
) -> Scores:
    query = query_words(
        words,
        shop.lexicon.vocabulary,
        shop.lexicon.analyzer,
        whole=whole,
        vague=vague,
        **options,  # type: ignore[arg-type]
    )
    relevance = QueryRelevance(
        shop.constants,
        vector=shop.embedder.embed_texts([words])[0],
        best_words=float(shop.sample.postings.core_scores(query).max()),
        subject=query.subject,
        other_kind=query.other_kind,
        vague=vague,
        narrows=narrows,
    )
    return relevance.log_odds(_signals(shop, words, whole, vague=vague, **options))


def _in_order(shop: Shop, scores: Scores, kept: NDArray[np.bool_]) -> list[str]:
    ids = [product.id for product in shop.products]
    rows = sorted(np.flatnonzero(kept).tolist(), key=lambda row: (-scores[row], ids[row]))
    return [ids[row] for row in rows]


def _holds(filter_: Filter, product: Product) -> bool:
    """Whether a product fulfills a filter: the plain reading of `vitrine.filters`, for what
    queries say."""
    if isinstance(filter_, Condition):
        value = product.value("colors" if filter_.field.name == "color" else filter_.field.name)
        return value is not None and _compares(filter_, value, product)
    if isinstance(filter_, Not):
        return not _holds(filter_.part, product)
    if isinstance(filter_, AnyOf):
        return any(_holds(part, product) for part in filter_.parts)
    assert isinstance(filter_, All)
    return all(_holds(part, product) for part in filter_.parts)


def _compares(condition: Condition, value: Value, product: Product) -> bool:
    operand = condition.operand
    if condition.operator == "in":
        assert isinstance(operand, tuple)
        values = value if isinstance(value, tuple) else (value,)
        if condition.field.name == "color":
            values = (*values, *(color.casefold() for color in product.color))
        if condition.field.type == "path":
            values = tuple(
                "/".join(path.split("/")[:depth])
                for path in map(str, values)
                for depth in range(1, path.count("/") + 2)
            )
        return any(one in operand for one in values)
    assert isinstance(operand, float)
    assert isinstance(value, float)
    compared = {"lt": value < operand, "lte": value <= operand, "gt": value > operand}
    return compared.get(condition.operator, value >= operand)
