"""What a hit's score is made of: the shares of a cosine, or the signals of a relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from vitrine.index import IndexAnswer, VectorIndex
from vitrine.index.fusion import language_of
from vitrine.products import Record
from vitrine.query_plan import QueryPlan, WeightedVector
from vitrine.relevance import QueryRelevance, Signals
from vitrine.results import Hit
from vitrine.words import DocumentWords, analyzer_of, document_words

__all__ = ["explained"]

Records = Mapping[str, Record]


def explained(answer: IndexAnswer, plan: QueryPlan, index: VectorIndex) -> tuple[Hit, ...]:
    """Every hit with what its score is made of."""
    records = index.get([hit.product.id for hit in answer.hits])
    if plan.fusion is None:
        return tuple(_with_shares(hit, plan.parts, records) for hit in answer.hits)
    relevance = plan.fusion.relevance(plan.vector, answer.best_words)
    analyzer = analyzer_of(language_of(index.info.mapping))
    return tuple(
        _with_signals(hit, records, plan, relevance, document_words(
            hit.product, index.info.schema, analyzer
        ))
        for hit in answer.hits
    )  # fmt: skip


def _with_shares(hit: Hit, parts: Sequence[WeightedVector], records: Records) -> Hit:
    """The hit with each part's share of its score; the shares add up to the score."""
    record = records.get(hit.product.id)
    if record is None:
        return hit
    mixed = np.sum([p.weight * p.vector.astype(np.float64) for p in parts], axis=0)
    length = float(np.linalg.norm(mixed))
    row = record.vectors[hit.matched_image or 0]
    shares = {p.name: round(p.weight * float(p.vector @ row) / length, 6) for p in parts}
    return replace(hit, explain=shares)


def _with_signals(
    hit: Hit,
    records: Records,
    plan: QueryPlan,
    relevance: QueryRelevance,
    document: DocumentWords,
) -> Hit:
    """The hit with its signals and the log-odds that they are worth."""
    record = records.get(hit.product.id)
    if record is None or plan.fusion is None:
        return hit
    words = plan.fusion.words
    cosine, text = 0.0, 0.0
    if plan.vector is not None:
        cosine = float(np.max(record.vectors @ plan.vector))
        if record.text_vector is not None:
            text = float(record.text_vector @ plan.vector)
    explanation = relevance.explain(
        Signals(
            cosine,
            text,
            words=words.score(document),
            exact=words.exact_key != "" and words.exact_key in document.exact_keys,
        )
    )
    signals = {
        name: round(float(value), 6)
        for name, value in asdict(explanation).items()
        if value is not None
    }
    return replace(hit, explain=signals)
